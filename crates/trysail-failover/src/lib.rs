#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod call_state;
mod call_time;
mod candidate;
mod charges;
mod failed;
mod fit;
mod future;
mod layer;
mod members;
mod per_call;
mod policy;
mod service;
mod trace;
mod trust;

pub use crate::{
    fit::{AnyMember, Fit},
    future::ResponseFuture,
    layer::FailoverLayer,
    per_call::PerCall,
    service::Failover,
    trust::Standing,
};
