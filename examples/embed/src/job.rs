//! Sends batches, a few at a time, and gives them back in order.

use std::{
    collections::VecDeque,
    future::pending,
    io, mem,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{sync::Semaphore, task::JoinHandle, time::Instant};
use tower::{Service, ServiceExt};
use tracing::Instrument;
use trysail::{Classified, EmbedError, EmbedRequest, EmbedResponse, report};

use crate::{
    batch::{Batch, Batches},
    board::Board,
    finished::{Call, Finished, Piece},
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

    /// Asks for a batch, and for its halves where it is refused as too much at once.
    async fn embed(self, mut batch: Batch) -> Finished {
        let texts = mem::take(&mut batch.texts);
        let mut finished = Finished { batch, pieces: Vec::new(), calls: Vec::new() };
        if texts.is_empty() {
            return finished;
        }
        let settings = &*self.settings;
        let _permit = settings.permits.acquire().await.expect("nobody closes it");
        let mut due = vec![EmbedRequest::new(settings.model.as_str(), texts)];
        while let Some(request) = due.pop() {
            let texts = request.len();
            if let Some(reason) = settings.ended.get() {
                finished.pieces.push(Piece { texts, attempts: 0, outcome: Err(reason.unsent()) });
                continue;
            }
            let started = Instant::now();
            let call = report(self.service.clone().oneshot(request.clone()));
            let (outcome, report) = settings.board.show(call).await;
            let (took, attempts) = (started.elapsed(), report.attempts() - report.refusals());
            finished.calls.push(Call { report, took });
            let halves = outcome.as_ref().err().and_then(|error| request.halves(error.verdict()));
            tracing::debug!(
                target: "trysail::embed", attempts, ?took, ok = outcome.is_ok(), halved = halves.is_some(), "call done"
            );
            if let Some([first, second]) = halves {
                due.extend([second, first]);
                continue;
            }
            let outcome = outcome.map_err(|error| {
                let reason = Reason::of(&error, &report, texts, settings.deadline, settings.keyed);
                if ends_the_run(&error, &report) {
                    settings.ended.get_or_init(|| reason.clone());
                }
                reason
            });
            finished.pieces.push(Piece { texts, attempts, outcome });
        }
        finished
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
