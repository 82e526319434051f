//! What calls and attempts came to, one by one: a trace, to be tried against other settings.

mod exchange;
mod future;
mod layer;
mod service;

pub use self::{
    exchange::{Exchange, ParseExchangeError, Stage},
    future::ResponseFuture,
    layer::{RecordLayer, Recorder},
    service::Recorded,
};
