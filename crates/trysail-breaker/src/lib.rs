#![doc = include_str!("../README.md")]

mod changes;
mod circuit;
mod circuits;
mod future;
mod gate;
#[cfg(all(test, trysail_loom))]
mod interleavings;
mod layer;
mod select;
mod service;
mod snapshot;
mod state;
mod sync;
mod times;
mod trace;
mod trip;
mod window;

pub use crate::{
    changes::Changes,
    circuit::Circuit,
    circuits::Circuits,
    future::ResponseFuture,
    layer::BreakerLayer,
    select::{Keyed, Select},
    service::Breaker,
    snapshot::Snapshot,
    state::State,
    trip::Trip,
};
