#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod calls;
mod changes;
mod circuit;
mod circuits;
mod closed;
mod future;
mod guard;
mod half_open;
#[cfg(all(test, trysail_loom))]
mod interleavings;
mod layer;
mod machine;
mod open_time;
mod outcome;
mod packed_state;
mod permit;
mod refusal;
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
