#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod adjustable;
mod future;
mod layer;
mod ready;
mod service;
mod timer;

pub use crate::{
    adjustable::Adjustable,
    future::ResponseFuture,
    layer::TimeoutLayer,
    ready::{ReadyTimeout, ReadyTimeoutLayer},
    service::Timeout,
};
