//! The test kit, tested.

mod content;
mod exchange;
mod hostile;
mod model;
mod plan;
mod scripted;
mod server;
mod wire;
