use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use trysail_core::{Elapsed, FromElapsed, Scope};

/// How long a call may take in all.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CallTime {
    Unasked,
    Unlimited,
    Until(Instant),
}

impl CallTime {
    /// What is left of `whole`, which counts from when this is first asked.
    pub(crate) fn left(&mut self, whole: impl FnOnce() -> Option<Duration>, now: Instant) -> Option<Duration> {
        if let Self::Unasked = self {
            let until = whole().and_then(|whole| now.checked_add(whole));
            *self = until.map_or(Self::Unlimited, Self::Until);
        }
        match self {
            Self::Until(until) => Some(until.saturating_duration_since(now)),
            Self::Unasked | Self::Unlimited => None,
        }
    }
}

pin_project! {
    /// The share of a call's time that what it waits for now may take.
    pub(crate) struct Share {
        // `None` until it is asked for.
        limit: Option<Duration>,
        #[pin]
        timer: Option<Sleep>,
    }
}

impl Share {
    pub(crate) const UNASKED: Self = Self { limit: None, timer: None };

    /// Waits for the end of `share`, which counts from the first time, and is its length.
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        share: impl FnOnce(Instant) -> Option<Duration>,
    ) -> Poll<Duration> {
        let mut this = self.project();
        let limit = *this.limit.get_or_insert_with(|| {
            let now = Instant::now();
            let share = share(now);
            this.timer.set(share.and_then(|share| now.checked_add(share)).map(sleep_until));
            share.unwrap_or(Duration::MAX)
        });
        this.timer.as_pin_mut().map_or(Poll::Pending, |timer| timer.poll(cx).map(|()| limit))
    }

    /// Waits for the end of the share of what has been sent, which is a limit of time that struck.
    pub(crate) fn poll_elapsed<E: FromElapsed>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        share: impl FnOnce(Instant) -> Option<Duration>,
    ) -> Poll<E> {
        self.poll(cx, share).map(|share| E::from_elapsed(Elapsed::new(Scope::Attempt, share)))
    }
}
