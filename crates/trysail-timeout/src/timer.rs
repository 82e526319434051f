//! One timer for limits that are stacked: an outer limit starts none while an inner one wakes the same task earlier.
//!
//! It must not depend on what others do with the inner limit. So the inner one has to lie inside the outer one: pinned there,
//! it is polled and dropped by nobody but who polls or drops the outer one. What is known of it holds for one poll: each
//! limit forgets it before it polls its call, and a timer that is dropped takes it along.

use std::{
    cell::Cell,
    future::Future,
    ops::Range,
    pin::Pin,
    ptr,
    task::{Context, Poll, RawWakerVTable, Waker},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

pin_project! {
    /// The end of a call's time.
    #[derive(Debug)]
    pub(crate) struct Timer {
        gone: Gone,
        #[pin]
        sleep: Sleep,
    }
}

/// Sees to it that nobody trusts in a timer that is gone.
#[derive(Debug)]
struct Gone;

/// Where a future lies.
pub(crate) struct Place(Range<usize>);

/// A timer that runs, and was polled last.
#[derive(Clone, Copy)]
struct Running {
    until: Instant,
    task: Task,
    address: usize,
}

/// Whom it wakes; compared only during a poll, so that none of its addresses can be another's by then.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Task {
    data: *const (),
    vtable: *const RawWakerVTable,
}

/// What was polled before tells nothing about what is polled next.
#[inline]
pub(crate) fn forget() {
    RUNNING.set(None);
}

impl Timer {
    #[inline]
    pub(crate) fn new(until: Instant) -> Self {
        Self { sleep: sleep_until(until), gone: Gone }
    }

    pub(crate) fn until(&self) -> Instant {
        self.sleep.deadline()
    }

    pub(crate) fn reset(self: Pin<&mut Self>, until: Instant) {
        self.project().sleep.reset(until);
    }

    /// Waits for it; without starting it, where one that ends before was polled inside `call`, by the same task.
    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, call: Place, cx: &mut Context<'_>) -> Poll<()> {
        let (until, address) = (self.until(), ptr::from_ref(&*self).addr());
        RUNNING.with(|running| {
            if let Some(inner) = running.get()
                && inner.until <= until
                && call.0.contains(&inner.address)
                && inner.task == Task::of(cx.waker())
            {
                return Poll::Pending;
            }
            let polled = self.project().sleep.poll(cx);
            if polled.is_pending() {
                running.set(Some(Running { until, task: Task::of(cx.waker()), address }));
            }
            polled
        })
    }
}

impl Place {
    #[inline]
    pub(crate) fn of<F>(future: &F) -> Self {
        let start = ptr::from_ref(future).addr();
        Self(start..start + size_of::<F>())
    }
}

impl Drop for Gone {
    #[inline]
    fn drop(&mut self) {
        forget();
    }
}

impl Task {
    #[inline]
    fn of(waker: &Waker) -> Self {
        Self { data: waker.data(), vtable: waker.vtable() }
    }
}

thread_local! {
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
}
