//! The stack, tested as its users meet it.

mod alone;
mod answers;
mod boxed;
mod breaker;
mod conformance;
mod contract;
mod cost;
mod facts;
mod first;
mod floor_plan;
mod hostile;
mod layers;
mod manual;
mod marks;
mod messages;
mod metrics;
mod names;
mod outage;
mod own;
mod preset;
mod published;
mod samples;
mod stack;
mod streams;
mod timeouts;
mod tower_layers;
