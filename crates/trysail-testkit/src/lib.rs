//! What the tests of trysail share: a real embedding model, a server around it that fails on demand, and services
//! that follow a script.

pub mod faults;
pub mod model;
pub mod scripted;
pub mod server;

pub use self::{faults::Plan, model::Model, scripted::Scripted, server::EmbeddingServer};
