#![doc = include_str!("../README.md")]

mod future;
mod layer;
mod service;

pub use crate::{future::ResponseFuture, layer::TimeoutLayer, service::Timeout};
