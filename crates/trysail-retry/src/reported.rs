use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::RetryReport;

/// Runs one call and gives, beside its outcome, what a [`Retry`](crate::Retry) somewhere inside did.
///
/// It reaches through any services in between, as long as they run the call in this task; without it, nothing is
/// kept. Of nested retries, the outermost reports that had to ask again.
///
/// ```
/// # use tower::{Service, ServiceBuilder, ServiceExt};
/// # use trysail_core::Verdict;
/// # use trysail_retry::{Backoff, RetryLayer, Stop, report};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let mut service = ServiceBuilder::new()
///     .layer(RetryLayer::new([std::time::Duration::from_secs(1)]))
///     .service_fn(|_: ()| async { Err::<(), _>(Verdict::TRANSIENT) });
///
/// let (outcome, report) = report(service.ready().await.unwrap().call(())).await;
/// assert!(outcome.is_err());
/// assert_eq!((report.attempts(), report.stop()), (2, Some(Stop::Attempts)));
/// # }
/// ```
pub fn report<F>(call: F) -> Reported<F> {
    Reported { call, report: RetryReport::NONE }
}

pin_project! {
    /// A call, and what became of it; made by [`report`].
    #[derive(Debug)]
    pub struct Reported<F> {
        #[pin]
        call: F,
        report: RetryReport,
    }
}

impl<F> Reported<F> {
    /// What has happened until now; ask between polls, for a display say.
    pub const fn so_far(&self) -> &RetryReport {
        &self.report
    }
}

impl<F: Future> Future for Reported<F> {
    type Output = (F::Output, RetryReport);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = {
            let _listening = Listening::to(this.report);
            this.call.poll(cx)
        };
        outcome.map(|outcome| (outcome, *this.report))
    }
}

/// The first attempt is in flight, or over: told by the call itself, which keeps no report that early.
#[inline]
pub(crate) fn first_attempt() {
    if LISTENING.get() && CURRENT.get().attempts() == 0 {
        CURRENT.set(RetryReport::FIRST);
    }
}

/// Tells the [`report`] around this call, if there is one.
pub(crate) fn publish(report: &RetryReport) {
    if LISTENING.get() {
        CURRENT.set(*report);
    }
}

/// Puts back what was there before, even if the call panics.
struct Listening<'a> {
    outer: (bool, RetryReport),
    report: &'a mut RetryReport,
}

impl<'a> Listening<'a> {
    fn to(report: &'a mut RetryReport) -> Self {
        Self { outer: (LISTENING.replace(true), CURRENT.replace(*report)), report }
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        let (listening, outer) = self.outer;
        LISTENING.set(listening);
        *self.report = CURRENT.replace(outer);
        // Who listens farther out hears it too, unless a retry out there has more to tell.
        if listening && self.report.attempts() >= outer.attempts() {
            CURRENT.set(*self.report);
        }
    }
}

thread_local! {
    static LISTENING: Cell<bool> = const { Cell::new(false) };
    static CURRENT: Cell<RetryReport> = const { Cell::new(RetryReport::NONE) };
}
