//! Sends lines, and gives back what became of them in their order.

use std::{future::poll_fn, io, pin::pin, task::Poll};

use tower::Service;
use trysail::{
    Batches, Deadline, EmbedError, EmbedRequest, EmbedResponse,
    embeddings::{Answers, BatchError},
};

use crate::{
    args::Args,
    feed::{Feed, Sent},
    finished::Finished,
    reason::Reason,
    watched::{CallError, Watched},
};

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

/// What there is to say of a run, beside its lines.
#[derive(Debug, Default)]
pub(crate) struct Conclusion {
    /// Why nothing more was sent.
    pub(crate) ended: Option<Reason>,
    /// How many batches were divided.
    pub(crate) divided: u64,
}

enum Next<E> {
    Answer(Result<EmbedResponse, BatchError<E>>),
    /// Lines that could not be sent.
    Flawed,
    Over,
    Interrupted,
}

/// Sends all lines of `feed` to `service`, and hands them to `write` in their order, until `interrupt`.
pub(crate) async fn run<S>(
    service: Watched<S>,
    args: &Args,
    model: &str,
    (feed, sent): (Feed, Sent),
    mut write: impl FnMut(Finished) -> io::Result<()>,
    interrupt: impl Future<Output = ()>,
) -> (End, Conclusion)
where
    S: Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError, Future: Send> + Clone + Send + 'static,
{
    let deadline = args.deadline;
    let mut answers = Batches::of_stream(model, feed)
        .count(args.batch as usize)
        .concurrency(args.concurrency as usize)
        .each(|request| request.deadline(Deadline::within(deadline)))
        .send(service);
    let mut interrupt = pin!(interrupt);
    let mut conclusion = Conclusion::default();
    let mut limit = None;
    let end = loop {
        let next = poll_fn(|cx| {
            if interrupt.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Next::Interrupted);
            }
            match answers.poll_next(cx) {
                Poll::Ready(Some(answer)) => Poll::Ready(Next::Answer(answer)),
                Poll::Ready(None) => Poll::Ready(Next::Over),
                Poll::Pending if sent.is_flawed() => Poll::Ready(Next::Flawed),
                Poll::Pending => Poll::Pending,
            }
        });
        let finished = match next.await {
            Next::Answer(answer) => finished(answer, &answers, &sent, &mut conclusion),
            Next::Flawed => Finished::unsent(sent.take(0)),
            Next::Over => break sent.failed().map_or(End::Complete, End::Unreadable),
            Next::Interrupted => break End::Interrupted,
        };
        if limit != answers.limit() {
            limit = answers.limit();
            if let Some(limit) = limit {
                tracing::warn!(target: "trysail::embed", "the server takes {limit} inputs at once; going on with that");
            }
        }
        if let Err(error) = write(finished) {
            break End::Unwritable(error);
        }
    };
    conclusion.divided = answers.divided();
    let end = match end {
        End::Complete | End::Unreadable(_) => {
            write(Finished::unsent(sent.take(0))).map_or_else(End::Unwritable, |()| end)
        }
        end => end,
    };
    (end, conclusion)
}

/// The next lines, with what became of them.
fn finished<S>(
    answer: Result<EmbedResponse, BatchError<CallError>>,
    answers: &Answers<Watched<S>, Feed, impl FnMut(EmbedRequest) -> EmbedRequest>,
    sent: &Sent,
    conclusion: &mut Conclusion,
) -> Finished
where
    Watched<S>: Service<EmbedRequest, Error = CallError>,
{
    match answer {
        Ok(answer) => Finished { lines: sent.take(answer.len()), outcome: Ok(answer) },
        Err(failed) => {
            let (inputs, ends) = (failed.inputs().len(), failed.ends());
            let reason = match failed.into_error() {
                Some(error) => error.reason,
                None => {
                    let why = answers.ended_by().map(|error| &error.reason).or(conclusion.ended.as_ref());
                    why.map(Reason::unsent).unwrap_or_default()
                }
            };
            if ends {
                conclusion.ended = Some(reason.clone());
            }
            Finished { lines: sent.take(inputs), outcome: Err(reason) }
        }
    }
}
