use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use trysail_core::{Classified, Verdict};

use crate::record::{Exchange, Recorder, Stage};

pin_project! {
    /// The call, which is recorded at its end, or when it is dropped.
    #[derive(Debug)]
    pub struct ResponseFuture<C, F>
    where
        F: Fn(&Exchange),
        F: Clone,
    {
        #[pin]
        call: C,
        stage: Stage,
        began: Instant,
        // Until it is told.
        recorder: Option<Recorder<F>>,
    }

    impl<C, F> PinnedDrop for ResponseFuture<C, F>
    where
        F: Fn(&Exchange),
        F: Clone,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(recorder) = this.recorder.take() {
                tell(&recorder, *this.stage, *this.began, None);
            }
        }
    }
}

impl<C, F: Fn(&Exchange) + Clone> ResponseFuture<C, F> {
    pub(super) fn new(call: C, stage: Stage, recorder: Recorder<F>) -> Self {
        Self { call, stage, began: Instant::now(), recorder: Some(recorder) }
    }
}

impl<C, F, T, E> Future for ResponseFuture<C, F>
where
    C: Future<Output = Result<T, E>>,
    E: Classified,
    F: Fn(&Exchange) + Clone,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.call.poll(cx));
        if let Some(recorder) = this.recorder.take() {
            let verdict = outcome.as_ref().map_or_else(Classified::verdict, |_| Verdict::SUCCESS);
            tell(&recorder, *this.stage, *this.began, Some(verdict));
        }
        Poll::Ready(outcome)
    }
}

fn tell<F: Fn(&Exchange) + Clone>(recorder: &Recorder<F>, stage: Stage, began: Instant, verdict: Option<Verdict>) {
    recorder.record(&Exchange {
        at: began.saturating_duration_since(recorder.began()),
        stage,
        key: recorder.key().clone(),
        class: verdict.map(Verdict::class),
        latency: began.elapsed(),
        retry_after: verdict.and_then(Verdict::retry_after),
    });
}
