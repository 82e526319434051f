use std::sync::Arc;

use tower_layer::Layer;

use crate::observe::{Observe, labels::Labels, meter};

/// Counts and times calls, and gives each a span.
///
/// Put it around the whole stack: what a [`Retry`](crate::Retry) somewhere inside did is part of the record, which is
/// made once, when the call is over or dropped. Feature `metrics` records through the [`metrics`](https://docs.rs/metrics)
/// facade, feature `tracing` opens a span `call` at debug level that everything inside logs into.
#[derive(Clone, Debug)]
pub struct ObserveLayer {
    labels: Labels,
}

impl ObserveLayer {
    /// Records calls to `model` at `origin`, such as `api.openai.com`; both are labels, so keep them few.
    ///
    /// What the metrics mean is told to the recorder that is installed now.
    pub fn new(origin: impl Into<Arc<str>>, model: impl Into<Arc<str>>) -> Self {
        meter::describe();
        Self { labels: Labels::new(origin, model) }
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Observe { inner, labels: self.labels.clone() }
    }
}
