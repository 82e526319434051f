//! The stack, tested as its users meet it.

mod answers;
mod boxed;
mod breaker;
mod conformance;
mod contract;
mod cost;
mod floor_plan;
mod hostile;
mod manual;
mod marks;
mod metrics;
mod outage;
mod own;
mod preset;
mod samples;
mod stack;
mod timeouts;
mod tower_layers;
