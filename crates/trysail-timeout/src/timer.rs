use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use trysail_core::{Elapsed, Scope};

use crate::future::NEVER;

pin_project! {
    /// When a call is over, made out once it is pending.
    #[project = TimerProj]
    #[derive(Debug)]
    pub(crate) enum Timer {
        /// The limit counts from the first time the call is pending.
        Idle,
        /// So it does, but the request's own time has counted since the call was made.
        Own { left: Duration, until: Instant },
        Armed { #[pin] sleep: Sleep },
    }
}

impl Timer {
    /// Of a request that has `left` by itself, counted from now.
    pub(crate) fn own(left: Duration) -> Self {
        Instant::now().checked_add(left).map_or(Self::Idle, |until| Self::Own { left, until })
    }

    /// Waits until the limit that `elapsed` names strikes, or the request's own time, which it names then.
    #[inline]
    pub(crate) fn poll(mut self: Pin<&mut Self>, elapsed: &mut Elapsed, cx: &mut Context<'_>) -> Poll<()> {
        let until = match self.as_mut().project() {
            TimerProj::Armed { sleep } => return sleep.poll(cx),
            TimerProj::Idle if is_never(*elapsed) => return Poll::Pending,
            TimerProj::Idle => None,
            TimerProj::Own { left, until } => Some((*left, *until)),
        };
        let sleep = match until {
            None => tokio::time::sleep(elapsed.limit()),
            Some(own) => sleep_at_most(own, elapsed),
        };
        self.set(Self::Armed { sleep });
        match self.project() {
            TimerProj::Armed { sleep } => sleep.poll(cx),
            _ => unreachable!("just armed"),
        }
    }
}

/// The smaller of a limit that counts from now and a time that has counted for a while.
#[cold]
fn sleep_at_most((left, until): (Duration, Instant), elapsed: &mut Elapsed) -> Sleep {
    let limit = Instant::now().checked_add(elapsed.limit());
    match limit {
        Some(limit) if limit <= until => tokio::time::sleep_until(limit),
        _ => {
            *elapsed = Elapsed::new(Scope::Request, left);
            tokio::time::sleep_until(until)
        }
    }
}

const fn is_never(elapsed: Elapsed) -> bool {
    elapsed.limit().as_secs() == NEVER.limit().as_secs()
}
