//! Reads the body inside the attempt.

mod collected;
mod error;
pub mod errors;
pub mod future;
mod gathered;
mod layer;
mod reading;
mod service;

pub use self::{
    collected::CollectedBody,
    error::CollectError,
    errors::{CollectErrors, CollectErrorsLayer, MaybeCollected},
    layer::CollectLayer,
    service::Collect,
};
