#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;

mod chain;
mod class;
mod classifier;
mod elapsed;
mod failure;
mod judged;
mod limit;
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
    open::{Cause, FromOpen, Open},
    random::Random,
    replay::{Always, Replay},
    verdict::{Health, Remedy, Retry, Verdict, Window},
};
