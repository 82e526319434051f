#![doc = include_str!("../README.md")]

pub mod classify;
#[cfg(feature = "client")]
pub mod client;
pub mod collect;
#[cfg(feature = "client")]
pub mod connect;
mod deadline;
mod idempotent;
mod port;
pub mod propagate;
mod respond;
pub mod retry_after;

pub use crate::{
    classify::{Complaint, Encoding, Expected, Judgement, Provider, Providers, Rule, Rules, WithStatus, excerpt},
    collect::{Collect, CollectError, CollectLayer},
    deadline::{Deadline, OrDeadline, OrOwn, TimeLimit},
    idempotent::{CallKey, Idempotent},
    port::has_broken_port,
    propagate::{DEADLINE, SendDeadlineLayer, TakeDeadlineLayer},
    respond::{respond, respond_to},
};
#[cfg(feature = "client")]
pub use crate::{
    client::{BodyError, Client, ClientBuilder, ClientError},
    connect::{CONNECT_TIMEOUT, ConnectTimeout},
};
