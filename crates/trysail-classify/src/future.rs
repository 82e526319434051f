use std::{
    error::Error,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use trysail_core::{Class, Classifier, Failure};

pin_project! {
    /// The call, and then its judgement.
    #[derive(Debug)]
    pub struct ResponseFuture<F, C> {
        #[pin]
        call: F,
        judge: C,
    }
}

impl<F, C> ResponseFuture<F, C> {
    pub(crate) const fn new(call: F, judge: C) -> Self {
        Self { call, judge }
    }
}

impl<F, C, Res, Err> Future for ResponseFuture<F, C>
where
    F: Future<Output = Result<Res, Err>>,
    C: Classifier<Res, Err>,
    Err: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = Result<Res, Failure<Res, Err>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.call.poll(cx));
        let verdict = this.judge.classify(outcome.as_ref());
        Poll::Ready(match outcome {
            Ok(response) if verdict.class() == Class::Success => Ok(response),
            Ok(response) => Err(Failure::Response { verdict, status: this.judge.status(&response), response }),
            Err(error) => Err(Failure::unanswered(verdict, error)),
        })
    }
}
