#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod asked;
mod batches;
mod call;
mod chunks;
mod endpoint;
mod error;
mod future;
mod own;
mod request;
mod rerank;
mod response;
mod service;
mod shape;
mod sparse;
mod validate;

pub use crate::{
    batches::{Answers, BatchError, Batches},
    call::AnswerFuture,
    chunks::{Chunk, Chunks, Ranking},
    endpoint::{Endpoint, InvalidEndpoint},
    error::EmbedError,
    future::ResponseFuture,
    own::InvalidPart,
    request::EmbedRequest,
    rerank::{Ranked, Rerank, RerankRequest, RerankResponse},
    response::EmbedResponse,
    service::Embeddings,
    sparse::{Sparse, SparseResponse},
};
