//! Sparse vectors: a weight for each token that matters.

mod answer;
mod service;

pub use self::{answer::SparseResponse, service::Sparse};
