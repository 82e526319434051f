#![doc = include_str!("../README.md")]

mod changes;
mod circuit;
mod circuits;
mod future;
mod gate;
#[cfg(all(test, trysail_loom))]
mod interleavings;
mod layer;
mod service;
mod settings;
mod snapshot;
mod state;
mod sync;
mod trace;
mod trip;
mod wait;
mod window;

pub use crate::{
    changes::Changes, circuit::Circuit, circuits::Circuits, future::ResponseFuture, layer::BreakerLayer,
    service::Breaker, settings::CircuitSettings, snapshot::Snapshot, state::State, trip::Trip,
};
pub use trysail_core::{Keyed, Select};
