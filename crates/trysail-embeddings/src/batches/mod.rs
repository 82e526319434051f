//! Many inputs, in requests of a size that servers take.

mod answers;
mod call;
mod cut;
mod error;
mod family;
pub(crate) mod oneshot;
mod pieces;
mod trial;

pub(crate) use self::trial::ENOUGH;
pub use self::{answers::Answers, cut::Batches, error::BatchError};
