use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    ops::Range,
    pin::Pin,
    task::{Context, Poll},
};

use tower_service::Service;
use trysail_core::Classified;

use crate::{BatchError, Batches, EmbedError, EmbedRequest, EmbedResponse, batches::oneshot::Oneshot, validate::Flaw};

/// The answers to [`Batches`], in order; made by [`Batches::send`].
///
/// Nothing is sent unless they are asked for, and dropping this drops all calls in flight. While an answer is late, up
/// to 16 batches for each that may be in flight are kept for their turn.
pub struct Answers<S: Service<EmbedRequest>, I, F = fn(EmbedRequest) -> EmbedRequest> {
    service: S,
    /// Until one fails.
    batches: Option<Batches<I, F>>,
    window: VecDeque<(Range<usize>, Sent<S>)>,
    /// Of the vectors until now.
    dimensions: Option<usize>,
}

enum Sent<S: Service<EmbedRequest>> {
    Due(EmbedRequest),
    InFlight(EmbedRequest, Pin<Box<Oneshot<S>>>),
    Over(EmbedResponse),
}

impl<S, I, F> Answers<S, I, F>
where
    S: Service<EmbedRequest>,
{
    pub(crate) const fn new(batches: Batches<I, F>, service: S) -> Self {
        Self { service, batches: Some(batches), window: VecDeque::new(), dimensions: None }
    }
}

impl<S, I, F> Answers<S, I, F>
where
    S: Service<EmbedRequest, Response = EmbedResponse, Error: Classified + From<EmbedError>> + Clone,
    I: Iterator<Item: Into<String>>,
    F: FnMut(EmbedRequest) -> EmbedRequest,
{
    /// The answer to the next batch, or to a half of one that was refused as too much; `None` after the last, or after
    /// an error, which ends it at once. May be dropped and asked for again.
    pub async fn next(&mut self) -> Option<Result<EmbedResponse, BatchError<S::Error>>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// What [`next`](Self::next) waits for: all that it takes to be a stream.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<EmbedResponse, BatchError<S::Error>>>> {
        let polled = self.poll_in_order(cx);
        if let Poll::Ready(Some(Err(_))) = polled {
            self.batches = None;
            self.window.clear();
        }
        polled
    }

    fn poll_in_order(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<EmbedResponse, BatchError<S::Error>>>> {
        // Each round that ends a call makes room for another, which must be polled to be waited for.
        while self.fill() | self.poll_sent(cx)? {}
        match self.window.pop_front() {
            Some((inputs, Sent::Over(answer))) => Poll::Ready(Some(self.check(inputs, answer))),
            Some(late) => {
                self.window.push_front(late);
                Poll::Pending
            }
            None => Poll::Ready(None),
        }
    }

    /// Makes calls as long as there is room for them; whether there was.
    fn fill(&mut self) -> bool {
        let Some(batches) = &mut self.batches else { return false };
        let most = batches.most_in_flight();
        let in_flight = self.window.iter().filter(|(_, sent)| matches!(sent, Sent::InFlight(..))).count();
        let mut any = false;
        for _ in in_flight..most {
            if !self.window.iter_mut().any(|(_, sent)| sent.start(&self.service)) {
                if self.window.len() >= AHEAD.saturating_mul(most) {
                    break;
                }
                let Some((inputs, request)) = batches.cut() else { break };
                let mut sent = Sent::Due(request);
                sent.start(&self.service);
                self.window.push_back((inputs, sent));
            }
            any = true;
        }
        any
    }

    /// Polls what is in flight; whether something came to its end.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Result<bool, BatchError<S::Error>> {
        let mut over = false;
        let mut at = 0;
        while let Some((inputs, sent)) = self.window.get_mut(at) {
            at += 1;
            let Sent::InFlight(request, call) = sent else { continue };
            let Poll::Ready(outcome) = call.as_mut().poll(cx) else { continue };
            over = true;
            *sent = match outcome {
                Ok(answer) => Sent::Over(answer),
                Err(error) => {
                    let Some([first, second]) = request.halves(error.verdict()) else {
                        return Err(BatchError::new(inputs.clone(), error));
                    };
                    let middle = inputs.start + first.len();
                    let rest = (middle..inputs.end, Sent::Due(second));
                    *inputs = inputs.start..middle;
                    *sent = Sent::Due(first);
                    self.window.insert(at, rest);
                    continue;
                }
            };
        }
        Ok(over)
    }

    /// An answer must fit those before it.
    fn check(&mut self, inputs: Range<usize>, answer: EmbedResponse) -> Result<EmbedResponse, BatchError<S::Error>> {
        let found = answer.dimensions();
        let expected = *self.dimensions.get_or_insert(found);
        if found == expected {
            return Ok(answer);
        }
        Err(BatchError::new(inputs, EmbedError::from(Flaw::Dimensions { expected, found }).into()))
    }
}

impl<S: Service<EmbedRequest> + Clone> Sent<S> {
    /// Makes the call if it is due; whether it was.
    fn start(&mut self, service: &S) -> bool {
        let Self::Due(request) = self else { return false };
        let request = request.clone();
        let call = Box::pin(Oneshot::new(service.clone(), request.clone()));
        *self = Self::InFlight(request, call);
        true
    }
}

impl<S, I, F> fmt::Debug for Answers<S, I, F>
where
    S: Service<EmbedRequest>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.window.iter().map(|(inputs, _)| inputs);
        f.debug_list().entries(waiting).finish()
    }
}

/// How many batches are in flight or wait for an earlier one, for each that may be in flight.
const AHEAD: usize = 16;
