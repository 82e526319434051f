#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod class;
mod classifier;
mod elapsed;
mod failure;
mod limit;
mod open;
mod random;
mod replay;
mod verdict;

pub use crate::{
    class::Class,
    classifier::{Classified, Classifier, Inherit},
    elapsed::{Elapsed, FromElapsed, Phase, Scope},
    failure::Failure,
    limit::Limit,
    open::{Cause, FromOpen, Open},
    random::Random,
    replay::{Always, Replay},
    verdict::{Health, Remedy, Retry, Verdict, Window},
};
