#![doc = include_str!("../README.md")]

mod future;
mod layer;
mod service;

pub use crate::{future::ResponseFuture, layer::ClassifyLayer, service::Classify};
