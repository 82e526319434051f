#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod allowance;
mod chain;
mod class;
mod classifier;
mod elapsed;
mod failure;
mod held;
mod judged;
mod limit;
mod one_line;
mod open;
mod pay;
mod random;
#[cfg(feature = "std")]
mod registry;
mod replay;
mod select;
#[cfg(feature = "tower")]
mod tower;
mod verdict;

#[cfg(feature = "std")]
pub use crate::registry::{Keyed, Make, Registered, Registry};
pub use crate::{
    allowance::{Allowance, Learn, Lesson, Quota},
    class::Class,
    classifier::{Classified, Classifier, Inherit},
    elapsed::{Elapsed, FromElapsed, Phase, Scope},
    failure::Failure,
    held::{FromHeld, Held, Hold},
    judged::{Judged, Unanswered},
    limit::Limit,
    one_line::OneLine,
    open::{Cause, FromOpen, Open},
    pay::Pay,
    random::Random,
    replay::{Always, Replay},
    select::Select,
    verdict::{Health, Remedy, Retryable, Verdict, Window},
};
