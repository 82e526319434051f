#![doc = include_str!("../README.md")]

mod circuit;
mod future;
mod gate;
mod layer;
mod service;
mod state;
mod trace;
mod trip;
mod window;

pub use crate::{
    circuit::{Circuit, Snapshot},
    future::ResponseFuture,
    layer::BreakerLayer,
    service::Breaker,
    state::State,
    trip::Trip,
};
