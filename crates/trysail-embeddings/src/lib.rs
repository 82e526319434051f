#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod asked;
mod batches;
mod capacity;
mod encoding;
mod endpoint;
mod error;
mod exchange;
mod family;
mod future;
mod learn;
mod own;
mod request;
mod response;
mod service;
mod shape;
mod validate;

pub use crate::{
    batches::{Answers, BatchError, Batches},
    endpoint::{Endpoint, InvalidEndpoint},
    error::EmbedError,
    family::{Family, FamilyCheck, Fingerprint},
    future::ResponseFuture,
    own::InvalidPart,
    request::EmbedRequest,
    response::EmbedResponse,
    service::Embeddings,
};
