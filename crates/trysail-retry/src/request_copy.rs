use std::time::Duration;

use tokio::time::Instant;
use trysail_core::Replay;

use crate::deadline::Deadline;

/// A request for a later attempt, and when the call must be over.
pub(crate) struct RequestCopy<Req> {
    request: Req,
    deadline: Deadline,
}

impl<Req> RequestCopy<Req> {
    #[inline]
    pub(crate) const fn new(request: Req) -> Self {
        Self { request, deadline: Deadline::Unasked }
    }

    /// The call has to be waited for: its time counts from when this is first said.
    #[inline]
    pub(crate) fn begin<R>(&mut self, replay: &R)
    where
        R: Replay<Req>,
    {
        if self.deadline == Deadline::Unasked {
            self.deadline = Deadline::after(replay.left(&self.request), Instant::now);
        }
    }

    /// How much time the call has in all; or still has, where it is the request's own.
    pub(crate) fn whole<R>(&self, replay: &R) -> Option<Duration>
    where
        R: Replay<Req>,
    {
        replay.left(&self.request)
    }

    /// How much time the call has left; it counts from now at the latest.
    pub(crate) fn left<R>(&mut self, replay: &R, now: Instant) -> Option<Duration>
    where
        R: Replay<Req>,
    {
        if self.deadline == Deadline::Unasked {
            self.deadline = Deadline::after(replay.left(&self.request), || now);
        }
        self.deadline.left(now)
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
