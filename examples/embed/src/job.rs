//! Sends batches, a few at a time, and gives them back in order.

use std::{
    collections::VecDeque,
    future::pending,
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{sync::Semaphore, task::JoinHandle, time::Instant};
use tower::{Service, ServiceExt};
use tracing::Instrument;
use trysail::{EmbedError, EmbedRequest, EmbedResponse, RetryReport, report};

use crate::{
    batch::{Batch, Batches},
    board::Board,
    reason::{Reason, ends_the_run},
};

/// What all batches share.
#[derive(Clone)]
pub(crate) struct Job<S> {
    pub(crate) service: S,
    pub(crate) settings: Arc<Settings>,
}

pub(crate) struct Settings {
    pub(crate) model: String,
    pub(crate) deadline: Duration,
    /// Whether a key is sent.
    pub(crate) keyed: bool,
    pub(crate) concurrency: u32,
    pub(crate) permits: Semaphore,
    pub(crate) board: Arc<Board>,
    /// Why nothing is sent any more.
    pub(crate) ended: OnceLock<Reason>,
}

/// A batch that is done with.
pub(crate) struct Finished {
    pub(crate) batch: Batch,
    pub(crate) outcome: Result<Option<EmbedResponse>, Reason>,
    pub(crate) report: RetryReport,
    /// How long it took, if it was sent.
    pub(crate) took: Option<Duration>,
}

/// How a run came to its end.
#[derive(Debug)]
pub(crate) enum End {
    /// Everything was read, and everything is written.
    Complete,
    /// The input could not be read to its end; what was read is written.
    Unreadable(io::Error),
    Interrupted,
    /// The rows could not be written.
    Unwritable(io::Error),
}

impl<S> Job<S>
where
    S: Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError, Future: Send> + Clone + Send + 'static,
{
    /// Runs all `batches`, and hands each to `write` in its turn, until `interrupt`.
    pub(crate) async fn run(
        self,
        mut batches: Batches,
        mut write: impl FnMut(Finished) -> io::Result<()>,
        interrupt: impl Future<Output = ()>,
    ) -> End {
        let mut interrupt = std::pin::pin!(interrupt);
        let mut window = VecDeque::new();
        let most = WINDOW * self.settings.concurrency as usize;
        let mut reading = true;
        let mut end = End::Complete;
        while reading || !window.is_empty() {
            tokio::select! {
                biased;
                () = &mut interrupt => return End::Interrupted,
                finished = first(&mut window) => {
                    window.pop_front();
                    if let Err(error) = write(finished) {
                        return End::Unwritable(error);
                    }
                }
                batch = batches.next(), if reading && window.len() < most => match batch {
                    Ok(Some(batch)) => window.push_back(self.spawn(batch)),
                    Ok(None) => reading = false,
                    Err(error) => {
                        reading = false;
                        end = End::Unreadable(error);
                    }
                },
            }
        }
        end
    }

    fn spawn(&self, batch: Batch) -> JoinHandle<Finished> {
        let first = batch.places.first().map(|(place, _)| place.line);
        let span = tracing::error_span!(target: "trysail::embed", "batch", line = first);
        let (lines, read) = (batch.places.len() as u64, batch.read);
        let (board, call) = (Arc::clone(&self.settings.board), self.clone().embed(batch).instrument(span));
        tokio::spawn(async move {
            let finished = call.await;
            board.done(lines, read);
            finished
        })
    }

    async fn embed(self, mut batch: Batch) -> Finished {
        let unsent = |batch, outcome| Finished { batch, outcome, report: RetryReport::default(), took: None };
        if batch.texts.is_empty() {
            return unsent(batch, Ok(None));
        }
        let settings = &*self.settings;
        let _permit = settings.permits.acquire().await.expect("nobody closes it");
        if let Some(reason) = settings.ended.get() {
            return unsent(batch, Err(reason.unsent()));
        }
        let lines = batch.texts.len();
        let request = EmbedRequest::new(settings.model.as_str(), std::mem::take(&mut batch.texts));
        let started = Instant::now();
        let (outcome, report) = settings.board.show(report(self.service.oneshot(request))).await;
        let took = started.elapsed();
        tracing::debug!(target: "trysail::embed", attempts = report.attempts(), ?took, ok = outcome.is_ok(), "batch done");
        let outcome = outcome.map(Some).map_err(|error| {
            let reason = Reason::of(&error, &report, lines, settings.deadline, settings.keyed);
            if ends_the_run(&error, &report) {
                settings.ended.get_or_init(|| reason.clone());
            }
            reason
        });
        Finished { batch, outcome, report, took: Some(took) }
    }
}

/// The oldest batch, once it is done with.
async fn first(window: &mut VecDeque<JoinHandle<Finished>>) -> Finished {
    match window.front_mut() {
        Some(batch) => batch.await.expect("a batch does not panic, and nobody aborts it"),
        None => pending().await,
    }
}

/// How many batches may be on their way, or wait for an earlier one, for each that may be in flight.
const WINDOW: usize = 16;
