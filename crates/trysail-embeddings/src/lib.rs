#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod api;
mod asked;
mod batches;
mod call;
mod capacity;
mod chunks;
mod encoding;
mod endpoint;
mod error;
mod exchange;
mod family;
mod future;
mod json;
mod learn;
mod learn_usage;
mod own;
mod request;
mod rerank;
mod response;
mod service;
mod shape;
mod sparse;
mod usage;
mod validate;

pub use crate::{
    account::Account,
    batches::{Answers, BatchError, Batches},
    call::AnswerFuture,
    chunks::{Chunk, Chunks, Ranking},
    endpoint::{Endpoint, InvalidEndpoint},
    error::EmbedError,
    family::{Family, FamilyCheck, Fingerprint},
    future::ResponseFuture,
    learn_usage::LearnUsage,
    own::InvalidPart,
    request::EmbedRequest,
    rerank::{Ranked, Rerank, RerankRequest, RerankResponse},
    response::EmbedResponse,
    service::Embeddings,
    sparse::{Sparse, SparseResponse},
    usage::{Usage, UsageSnapshot, Used},
};
