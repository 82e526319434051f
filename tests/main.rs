//! The stack, tested as its users meet it.

mod conformance;
mod contract;
mod cost;
mod floor_plan;
mod hostile;
mod preset;
mod stack;
mod timeouts;
