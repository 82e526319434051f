#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod faults;
pub mod hostile;
pub mod model;
pub mod probe;
pub mod scripted;
pub mod server;

pub use self::{
    faults::Plan,
    hostile::{Hostile, HostileServer, Trick},
    model::Model,
    probe::{Pool, Probe},
    scripted::Scripted,
    server::EmbeddingServer,
};
