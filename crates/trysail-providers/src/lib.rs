#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod boxed;
mod caller;
mod clause;
mod complaint;
mod excerpt;
mod idempotent;
mod judgement;
mod limit;
mod provider;
mod providers;
mod read;
mod row;
mod rule;
mod rules;
mod table;

pub use crate::{
    complaint::Complaint,
    excerpt::excerpt,
    idempotent::{Idempotent, is_pure},
    judgement::Judgement,
    limit::InputLimit,
    provider::Provider,
    providers::Providers,
    rule::Rule,
    rules::Rules,
};
