#![doc = include_str!("../README.md")]

mod backoff;
mod course;
mod future;
mod layer;
mod policy;
mod report;
mod reported;
mod service;
mod terms;
mod trace;

pub use crate::{
    backoff::{Backoff, Delays, Jitter},
    future::ResponseFuture,
    layer::RetryLayer,
    report::{RetryReport, Stop, Waiting},
    reported::{Reported, report},
    service::Retry,
    terms::Terms,
};
