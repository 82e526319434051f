#![doc = include_str!("../README.md")]

#[cfg(feature = "client")]
pub mod client;
pub mod collect;
#[cfg(feature = "client")]
pub mod connect;
mod deadline;
mod expected;
pub mod grpc;
mod idempotent;
mod port;
pub mod propagate;
mod respond;
pub mod retry_after;
pub mod transport;
mod with_status;

#[cfg(feature = "client")]
pub use crate::{
    client::{Client, ClientBuilder},
    connect::{CONNECT_TIMEOUT, ConnectTimeout},
};
pub use crate::{
    collect::{Collect, CollectError, CollectLayer},
    deadline::{Deadline, OrDeadline, OrOwn, TimeLimit},
    expected::{Encoding, Expected},
    idempotent::{CallKey, Idempotent},
    port::has_broken_port,
    propagate::{DEADLINE, SendDeadlineLayer, TakeDeadlineLayer},
    respond::{respond, respond_to},
    with_status::WithStatus,
};
