#![doc = include_str!("../README.md")]

mod account;
mod backoff;
mod budget;
mod charges;
mod clock;
mod failed;
mod future;
mod layer;
mod next_attempt;
mod per_request;
mod policy;
mod probes;
mod report;
mod reported;
mod request_copy;
mod schedule;
mod select;
mod service;
mod settings;
mod shared;
mod sync;
mod trace;
mod traffic;

pub use crate::{
    backoff::{Backoff, Delays, Jitter},
    budget::{Balance, Budget, BudgetSettings, Charge},
    future::ResponseFuture,
    layer::RetryLayer,
    per_request::PerRequest,
    report::{RetryReport, Stop, WaitFor, Waiting},
    reported::{Reported, report},
    select::SelectBudget,
    service::{CloneService, Retry},
    settings::{RetryHandle, RetrySettings},
};
