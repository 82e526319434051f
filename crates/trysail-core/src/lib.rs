#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod class;
mod classifier;
mod failure;
mod limit;
mod random;
mod replay;
mod verdict;

pub use crate::{
    class::Class,
    classifier::{Classified, Classifier, Inherit},
    failure::{Cause, Elapsed, Failure, FromElapsed, FromOpen, Open, Phase, Scope},
    limit::Limit,
    random::Random,
    replay::{Always, Replay},
    verdict::{Health, Remedy, Retry, Verdict},
};
