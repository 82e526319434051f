use std::time::Duration;

use tokio::time::Instant;
use trysail_core::Replay;

use crate::clock::{CallDeadline, Clock};

/// A request for a later attempt, and when the call must be over.
pub(crate) struct RequestCopy<Req> {
    request: Req,
    deadline: CallDeadline,
}

impl<Req> RequestCopy<Req> {
    #[inline]
    pub(crate) const fn new(request: Req) -> Self {
        Self { request, deadline: CallDeadline::UNASKED }
    }

    /// When the call must be over; its time counts from when this is first asked.
    #[inline]
    pub(crate) fn deadline<R>(&mut self, replay: &R, clock: &Clock, now: impl FnOnce() -> Instant) -> CallDeadline
    where
        R: Replay<Req>,
    {
        if self.deadline == CallDeadline::UNASKED {
            let left = replay.left(&self.request);
            self.deadline = left.map_or(CallDeadline::NEVER, |left| clock.deadline(left, now()));
        }
        self.deadline
    }

    /// How much time the call has in all; or still has, where it is the request's own.
    pub(crate) fn whole<R>(&self, replay: &R) -> Option<Duration>
    where
        R: Replay<Req>,
    {
        replay.left(&self.request)
    }

    /// How much time the call has left.
    pub(crate) fn left<R>(&mut self, replay: &R, clock: &Clock, now: Instant) -> Option<Duration>
    where
        R: Replay<Req>,
    {
        clock.left(self.deadline(replay, clock, || now), now)
    }

    /// The request, and a copy of it: even the last retry may be followed by a repetition that costs none.
    pub(crate) fn take<R>(self, replay: &R) -> (Req, Option<Self>)
    where
        R: Replay<Req>,
    {
        let copy = replay.replay(&self.request);
        (self.request, copy.map(|request| Self { request, ..self }))
    }
}
