#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
pub mod client;
pub mod collect;
#[cfg(feature = "client")]
pub mod connect;
mod deadline;
mod expected;
pub mod grpc;
mod heed;
mod idempotent;
mod port;
pub mod propagate;
pub mod rate_limit;
pub mod redirect;
mod respond;
pub mod retry_after;
mod secret;
mod status;
pub mod transport;
mod with_status;

#[cfg(feature = "client")]
pub use crate::{
    client::{BodyError, Client, ClientBuilder, ClientError},
    connect::{CONNECT_TIMEOUT, ConnectTimeout},
};
pub use crate::{
    collect::{Collect, CollectError, CollectErrors, CollectErrorsLayer, CollectLayer, CollectedBody, MaybeCollected},
    deadline::{Deadline, OrDeadline, OrOwn, TimeLimit},
    expected::{Encoding, Expected},
    heed::heed,
    idempotent::{CallKey, Idempotent, OrRoute},
    port::has_broken_port,
    propagate::{DEADLINE, SendDeadlineLayer, TakeDeadlineLayer},
    redirect::{NotFollowed, Redirect, RedirectLayer},
    respond::{respond, respond_to},
    secret::credential,
    status::{Boxed, ByStatus, StatusRule},
    with_status::WithStatus,
};
