#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bucket;
mod calls;
mod decision;
mod demand;
mod fare;
mod found_rate;
mod future;
mod gcra;
mod heard;
mod in_flight;
mod in_force;
#[cfg(all(test, trysail_loom))]
mod interleavings;
mod latch;
mod layer;
mod learnt;
mod lease;
mod link;
mod machine;
mod pace;
mod paces;
mod pausing;
mod queue;
mod rate;
mod rates;
#[cfg(feature = "redis")]
pub mod redis;
mod refusals;
mod room;
mod sent_call;
mod service;
mod settings;
mod sharing;
mod slow_start;
mod snapshot;
mod spending;
mod sync;
mod tally;
mod ticket;
mod time;
mod trace;
mod wait;

pub use crate::{
    demand::{Cost, Demand, Nothing, One},
    future::ResponseFuture,
    layer::ThrottleLayer,
    pace::Pace,
    paces::Paces,
    rate::Rate,
    service::Throttle,
    settings::PaceSettings,
    sharing::Store,
    snapshot::PaceSnapshot,
    spending::{Spending, Spent},
};
pub use trysail_core::{Allowance, Keyed, Learn, Lesson, Make, Quota, Select};
