use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt, stream::FuturesUnordered};
use tower_service::Service;
use trysail_core::Classified;

use super::{call::Call, pieces::Pieces};
use crate::{BatchError, Batches, EmbedError, EmbedRequest, EmbedResponse};

/// The answers to [`Batches`], in order; made by [`Batches::send`]. A [`Stream`] as well.
///
/// Every input is in one of them, or in one of the errors. Nothing is sent unless they are asked for, and dropping this
/// drops all calls in flight. While an answer is late, up to 16 batches for each that may be in flight are kept for their
/// turn.
pub struct Answers<S, T, F = fn(EmbedRequest) -> EmbedRequest>
where
    S: Service<EmbedRequest, Error: Classified>,
{
    service: S,
    batches: Batches<T, F>,
    calls: FuturesUnordered<Call<S>>,
    pieces: Pieces<S::Error>,
}

impl<S, T, F> Answers<S, T, F>
where
    S: Service<EmbedRequest, Error: Classified>,
{
    pub(super) fn new(batches: Batches<T, F>, service: S) -> Self {
        Self { service, batches, calls: FuturesUnordered::new(), pieces: Pieces::new() }
    }

    /// How many inputs the server takes at once, if it has said so.
    pub fn limit(&self) -> Option<usize> {
        self.pieces.capacity()?.named_inputs()
    }

    /// What has [ended](BatchError::ends) the run, until it is handed out itself.
    pub fn ended_by(&self) -> Option<&S::Error> {
        self.pieces.ended_by()
    }

    /// How many batches were divided until now.
    pub const fn divided(&self) -> u64 {
        self.pieces.divided()
    }
}

impl<S, T, F> Answers<S, T, F>
where
    S: Service<EmbedRequest, Response = EmbedResponse, Error: Classified + From<EmbedError>> + Clone,
    T: Stream<Item: Into<String>> + Unpin,
    F: FnMut(EmbedRequest) -> EmbedRequest,
{
    /// The answer to the next batch, or to a part of one that was divided, or why some inputs have none; `None` after
    /// the last. May be dropped and asked for again.
    ///
    /// After a failure that [ends](BatchError::ends) the run, it goes on to say of all other inputs that they were not
    /// sent.
    pub async fn next(&mut self) -> Option<Result<EmbedResponse, BatchError<S::Error>>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// What [`next`](Self::next) waits for.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<EmbedResponse, BatchError<S::Error>>>> {
        loop {
            // What has come to its end makes room for another, which must be polled to be waited for.
            while self.fill(cx) | self.poll_calls(cx) {}
            if let Some(next) = self.pieces.pop() {
                return Poll::Ready(Some(next));
            }
            if !self.calls.is_empty() || !self.batches.is_empty() {
                return Poll::Pending;
            }
            if self.pieces.len() == 0 {
                return Poll::Ready(None);
            }
            self.pieces.go_on_alone();
        }
    }

    /// Makes calls as long as there is room for them; whether there was.
    fn fill(&mut self, cx: &mut Context<'_>) -> bool {
        let most = self.batches.most_in_flight();
        let mut any = false;
        while self.calls.len() < most || self.pieces.is_ended() {
            let room = self.pieces.len() < if self.pieces.is_ended() { 1 } else { AHEAD.saturating_mul(most) };
            let cut = room && !self.pieces.has_healthy() && self.pieces.takes_more(most) && self.cut(cx);
            let next = self.pieces.next(most);
            if !cut && next.is_none() {
                break;
            }
            if let Some((at, request)) = next {
                self.calls.push(Call::new(at, self.service.clone(), request));
            }
            any = true;
        }
        any
    }

    fn cut(&mut self, cx: &mut Context<'_>) -> bool {
        let Poll::Ready(Some((inputs, request))) = self.batches.poll_cut(self.pieces.capacity(), cx) else {
            return false;
        };
        self.pieces.push(inputs.start, request);
        true
    }

    /// Polls what is in flight; whether something came to its end.
    fn poll_calls(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        let most = self.batches.most_in_flight();
        while let Poll::Ready(Some((at, outcome))) = self.calls.poll_next_unpin(cx) {
            self.pieces.settle(at, outcome, most);
            any = true;
        }
        any
    }
}

impl<S, T, F> Unpin for Answers<S, T, F> where S: Service<EmbedRequest, Error: Classified> {}

impl<S, T, F> Stream for Answers<S, T, F>
where
    S: Service<EmbedRequest, Response = EmbedResponse, Error: Classified + From<EmbedError>> + Clone,
    T: Stream<Item: Into<String>> + Unpin,
    F: FnMut(EmbedRequest) -> EmbedRequest,
{
    type Item = Result<EmbedResponse, BatchError<S::Error>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Self::poll_next(self.get_mut(), cx)
    }
}

impl<S, T, F> fmt::Debug for Answers<S, T, F>
where
    S: Service<EmbedRequest, Error: Classified>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pieces.ranges()).finish()
    }
}

/// How many batches are in flight or wait for an earlier one, for each that may be in flight.
const AHEAD: usize = 16;
