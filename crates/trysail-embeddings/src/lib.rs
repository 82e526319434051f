#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod api;
mod asked;
mod batches;
mod capacity;
mod encoding;
mod endpoint;
mod error;
mod exchange;
mod future;
mod learn;
mod learn_usage;
mod own;
mod request;
mod response;
mod service;
mod shape;
mod validate;

pub use crate::{
    account::Account,
    batches::{Answers, BatchError, Batches},
    endpoint::{Endpoint, InvalidEndpoint},
    error::EmbedError,
    future::ResponseFuture,
    learn_usage::LearnUsage,
    own::InvalidPart,
    request::EmbedRequest,
    response::EmbedResponse,
    service::Embeddings,
};
