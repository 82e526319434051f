//! What the tests of trysail share: a real embedding model, a server around it that fails on demand, and services
//! that follow a script.

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
