#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backoff;
mod budget;
mod budgets;
mod call_charges;
mod charge;
mod deadline;
mod decider;
mod failed;
mod future;
mod kept;
mod layer;
mod next_attempt;
mod pay;
mod per_request;
mod policy;
mod probe_pacer;
mod readiness;
mod report;
mod reported;
mod request_copy;
mod schedule;
mod service;
mod settings;
mod shared;
mod sync;
mod token_bucket;
mod trace;
mod traffic;

pub use crate::{
    backoff::{Backoff, Delays, Jitter},
    budget::{Balance, Budget, BudgetSettings},
    budgets::Budgets,
    charge::Charge,
    future::ResponseFuture,
    layer::RetryLayer,
    per_request::PerRequest,
    report::{RetryReport, Stop, WaitFor, Waiting},
    reported::{Reported, report},
    service::{CloneService, Retry},
    settings::{RetryHandle, RetrySettings},
};
pub use trysail_core::{Keyed, Select};
