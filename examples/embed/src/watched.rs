//! Calls of which is told what they do.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Instant;
use tower::{Service, ServiceExt};
use trysail::{Class, Classified, EmbedError, EmbedRequest, EmbedResponse, Verdict, report};

use crate::{board::Board, heard::listen, reason::Reason};

/// A service whose calls are shown while they wait, and counted.
#[derive(Clone)]
pub(crate) struct Watched<S> {
    pub(crate) service: S,
    pub(crate) settings: Arc<Settings>,
}

pub(crate) struct Settings {
    pub(crate) deadline: Duration,
    pub(crate) attempt: Duration,
    /// Whether a key is sent.
    pub(crate) keyed: bool,
    pub(crate) board: Arc<Board>,
}

/// Why a call has failed, and what there is to say of it.
#[derive(Debug)]
pub(crate) struct CallError {
    error: EmbedError,
    pub(crate) reason: Reason,
}

impl<S> Service<EmbedRequest> for Watched<S>
where
    S: Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError, Future: Send> + Clone + Send + 'static,
{
    type Response = EmbedResponse;
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<EmbedResponse, CallError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: EmbedRequest) -> Self::Future {
        let Self { service, settings } = self.clone();
        Box::pin(async move {
            let (lines, started) = (request.len(), Instant::now());
            let ((outcome, report), heard) = listen(settings.board.show(report(service.oneshot(request)))).await;
            let took = started.elapsed();
            tracing::debug!(
                target: "trysail::embed", lines, attempts = report.attempts(), ?took, ok = outcome.is_ok(), "call done"
            );
            settings.board.call(&report, took);
            outcome.map_err(|error| {
                let reason = Reason::of(&error, &report, &heard, &settings);
                CallError { error, reason }
            })
        })
    }
}

impl Classified for CallError {
    fn verdict(&self) -> Verdict {
        self.error.verdict()
    }
}

/// Of an answer that does not fit those before it.
impl From<EmbedError> for CallError {
    fn from(error: EmbedError) -> Self {
        let message = format!("{error}; write to another --out for that one");
        let reason = Reason { class: Class::Malformed.as_str(), message, attempts: 1 };
        Self { error, reason }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason.message)
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
