//! Reads the body inside the attempt.

mod error;
pub mod future;
mod gathered;
mod layer;
mod service;

pub use self::{error::CollectError, layer::CollectLayer, service::Collect};
