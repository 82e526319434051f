#![doc = include_str!("../README.md")]

mod account;
mod backoff;
mod budget;
mod clock;
mod course;
mod future;
mod layer;
mod policy;
mod report;
mod reported;
mod service;
mod sync;
mod terms;
mod trace;
mod traffic;

pub use crate::{
    backoff::{Backoff, Delays, Jitter},
    budget::{Balance, Budget, Charge},
    future::ResponseFuture,
    layer::RetryLayer,
    report::{RetryReport, Stop, WaitFor, Waiting},
    reported::{Reported, report},
    service::Retry,
    terms::Terms,
};
