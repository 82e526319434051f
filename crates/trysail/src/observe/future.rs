use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use trysail_core::{Class, Classified};
use trysail_retry::{Reported, RetryReport, report};

use crate::observe::{labels::Labels, meter, span::Span};

pin_project! {
    /// The call, whose record is made at its end.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        call: Reported<F>,
        // Until it is made.
        record: Option<Record>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(record) = this.record.take() {
                record.end(DROPPED, this.call.so_far());
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(call: F, record: Record) -> Self {
        Self { call: report(call), record: Some(record) }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Classified,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let record = this.record.as_ref().expect("a call that is over is not polled again");
        let (outcome, report) = ready!(record.span.enter(|| this.call.poll(cx)));
        if let Some(record) = this.record.take() {
            let class = outcome.as_ref().map_or_else(|error| error.verdict().class(), |_| Class::Success);
            record.end(class.as_str(), &report);
        }
        Poll::Ready(outcome)
    }
}

/// What is known of a call from its beginning.
#[derive(Debug)]
pub(crate) struct Record {
    labels: Labels,
    span: Span,
    began: Instant,
}

impl Record {
    pub(crate) fn new(labels: Labels) -> Self {
        let span = Span::new(&labels);
        Self { labels, span, began: Instant::now() }
    }

    pub(crate) const fn span(&self) -> &Span {
        &self.span
    }

    fn end(self, outcome: &'static str, report: &RetryReport) {
        let now = Instant::now();
        // A wait that was cut short counts as far as it went.
        let rest = report.waiting().map_or_else(Default::default, |wait| wait.until().saturating_duration_since(now));
        let slept = report.slept().saturating_sub(rest);
        meter::record(&self.labels, outcome, now - self.began, slept, report);
        self.span.end(outcome, slept, report);
    }
}

/// What the outcome of a call is called whose caller gave it up.
const DROPPED: &str = "dropped";
