use std::sync::Arc;

use tokio::time::Instant;
use tower_layer::Layer;

use crate::record::{Exchange, Recorded, Stage};

/// Hands every call and every attempt to a closure, for a file or wherever they are kept.
///
/// Its two layers go above and below the policies; with both, a trace can be tried against other settings.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use tower::{ServiceBuilder, ServiceExt};
/// use trysail::{Backoff, ClassifyLayer, RetryLayer, Verdict, record::{Exchange, Recorder}};
///
/// # async fn double(n: u32) -> Result<u32, std::fmt::Error> { Ok(2 * n) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let lines = Arc::new(Mutex::new(Vec::new()));
/// let sink = Arc::clone(&lines);
/// let recorder = Recorder::new("harbour", move |exchange: &Exchange| sink.lock().unwrap().push(exchange.to_string()));
/// let service = ServiceBuilder::new()
///     .layer(recorder.calls())
///     .layer(RetryLayer::new(Backoff::default()))
///     .layer(recorder.attempts())
///     .layer(ClassifyLayer::new(|outcome: Result<&u32, &std::fmt::Error>| {
///         if outcome.is_ok() { Verdict::SUCCESS } else { Verdict::TRANSIENT }
///     }))
///     .service_fn(double);
/// service.oneshot(21).await?;
/// assert_eq!(lines.lock().unwrap().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Recorder<F> {
    key: Arc<str>,
    began: Instant,
    sink: F,
}

impl<F: Fn(&Exchange) + Clone> Recorder<F> {
    /// Counts time from now. `sink` is called at the end of each call and attempt, in its task.
    ///
    /// The key is kept without control characters, so that a line stays one.
    pub fn new(key: &str, sink: F) -> Self {
        let key = key.replace(|letter: char| letter.is_control(), " ").into();
        Self { key, began: Instant::now(), sink }
    }

    /// Goes around all policies.
    pub fn calls(&self) -> RecordLayer<F> {
        RecordLayer { stage: Stage::Call, recorder: self.clone() }
    }

    /// Goes below them, around the service whose errors are judged.
    pub fn attempts(&self) -> RecordLayer<F> {
        RecordLayer { stage: Stage::Attempt, recorder: self.clone() }
    }

    pub(super) const fn began(&self) -> Instant {
        self.began
    }

    pub(super) const fn key(&self) -> &Arc<str> {
        &self.key
    }

    pub(super) fn record(&self, exchange: &Exchange) {
        (self.sink)(exchange);
    }
}

/// One of the two layers of a [`Recorder`].
#[derive(Clone, Debug)]
pub struct RecordLayer<F> {
    stage: Stage,
    recorder: Recorder<F>,
}

impl<S, F: Clone> Layer<S> for RecordLayer<F> {
    type Service = Recorded<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        Recorded { inner, stage: self.stage, recorder: self.recorder.clone() }
    }
}
