#![doc = include_str!("../README.md")]

mod adjustable;
mod future;
mod layer;
mod ready;
mod service;

pub use crate::{
    adjustable::Adjustable,
    future::ResponseFuture,
    layer::TimeoutLayer,
    ready::{ReadyTimeout, ReadyTimeoutLayer},
    service::Timeout,
};
