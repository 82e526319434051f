#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod chain;
mod class;
mod classifier;
mod elapsed;
mod failure;
mod judged;
mod limit;
mod one_line;
mod open;
mod random;
mod replay;
#[cfg(feature = "tower")]
mod tower;
mod verdict;

pub use crate::{
    class::Class,
    classifier::{Classified, Classifier, Inherit},
    elapsed::{Elapsed, FromElapsed, Phase, Scope},
    failure::Failure,
    judged::{Judged, Unanswered},
    limit::Limit,
    one_line::OneLine,
    open::{Cause, FromOpen, Open},
    random::Random,
    replay::{Always, Replay},
    verdict::{Health, Remedy, Retry, Verdict, Window},
};
