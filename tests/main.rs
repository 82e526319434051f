//! The stack, tested as its users meet it.

mod alone;
mod answers;
mod boxed;
mod breaker;
mod conformance;
mod contract;
mod cost;
mod floor_plan;
mod hostile;
mod layers;
mod marks;
mod metrics;
mod outage;
mod own;
mod preset;
mod published;
mod samples;
mod stack;
mod streams;
mod timeouts;
mod tower_layers;
