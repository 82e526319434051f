//! Many inputs, in requests of a size that servers take.

mod answers;
mod cut;
mod error;
pub(crate) mod oneshot;

pub use self::{answers::Answers, cut::Batches, error::BatchError};
