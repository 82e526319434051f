//! Reads the body of a failure inside the attempt, and hands that of a success through.

mod body;
pub mod future;
mod layer;
mod service;

pub use self::{body::MaybeCollected, layer::CollectErrorsLayer, service::CollectErrors};
