use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    ops::Range,
    pin::Pin,
    task::{Context, Poll},
};

use tower_service::Service;

use crate::{BatchError, Batches, EmbedError, EmbedRequest, EmbedResponse, batches::oneshot::Oneshot, validate::Flaw};

/// The answers to [`Batches`], in order; made by [`Batches::send`].
///
/// Nothing is sent unless they are asked for, and dropping this drops all calls in flight. While an answer is late, up
/// to 16 batches for each that may be in flight are kept for their turn.
pub struct Answers<S: Service<EmbedRequest>, I, F = fn(EmbedRequest) -> EmbedRequest> {
    service: S,
    /// Until the last one is cut.
    batches: Option<Batches<I, F>>,
    window: VecDeque<(Range<usize>, Sent<S>)>,
    /// Of the vectors until now.
    dimensions: Option<usize>,
}

enum Sent<S: Service<EmbedRequest>> {
    InFlight(Pin<Box<Oneshot<S>>>),
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
    S: Service<EmbedRequest, Response = EmbedResponse, Error: From<EmbedError>> + Clone,
    I: Iterator<Item: Into<String>>,
    F: FnMut(EmbedRequest) -> EmbedRequest,
{
    /// The answer to the next batch; `None` after the last, or after an error, which ends it at once. May be dropped
    /// and asked for again.
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
        let before = self.window.len();
        let mut in_flight = self.window.iter().filter(|(_, sent)| matches!(sent, Sent::InFlight(_))).count();
        while let Some(batches) = &mut self.batches
            && in_flight < batches.most_in_flight()
            && self.window.len() < AHEAD.saturating_mul(batches.most_in_flight())
        {
            match batches.cut() {
                Some((inputs, request)) => {
                    let call = Box::pin(Oneshot::new(self.service.clone(), request));
                    self.window.push_back((inputs, Sent::InFlight(call)));
                    in_flight += 1;
                }
                None => self.batches = None,
            }
        }
        self.window.len() > before
    }

    /// Polls what is in flight; whether something came to its end.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Result<bool, BatchError<S::Error>> {
        let mut over = false;
        for (inputs, sent) in &mut self.window {
            if let Sent::InFlight(call) = sent
                && let Poll::Ready(outcome) = call.as_mut().poll(cx)
            {
                *sent = Sent::Over(outcome.map_err(|error| BatchError::new(inputs.clone(), error))?);
                over = true;
            }
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
