#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod changes;
mod circuit;
mod circuits;
mod future;
mod gate;
#[cfg(all(test, trysail_loom))]
mod interleavings;
mod keyed;
mod layer;
mod select;
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
    changes::Changes,
    circuit::Circuit,
    circuits::Circuits,
    future::ResponseFuture,
    layer::BreakerLayer,
    select::{Keyed, Select},
    service::Breaker,
    settings::CircuitSettings,
    snapshot::Snapshot,
    state::State,
    trip::Trip,
};
