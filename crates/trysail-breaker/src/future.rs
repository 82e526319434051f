use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use trysail_core::{Classifier, FromOpen, Open};

use crate::guard::Guard;

pin_project! {
    /// The call, or its refusal.
    #[derive(Debug)]
    pub struct ResponseFuture<F, C> {
        #[pin]
        call: Admission<F, C>,
    }
}

pin_project! {
    #[project = AdmissionProj]
    #[derive(Debug)]
    enum Admission<F, C> {
        Admitted { #[pin] future: F, judge: C, guard: Guard },
        Refused { open: Open },
    }
}

impl<F, C> ResponseFuture<F, C> {
    pub(crate) const fn admitted(future: F, judge: C, guard: Guard) -> Self {
        Self { call: Admission::Admitted { future, judge, guard } }
    }

    pub(crate) const fn refused(open: Open) -> Self {
        Self { call: Admission::Refused { open } }
    }
}

impl<F, C, Res, Err> Future for ResponseFuture<F, C>
where
    F: Future<Output = Result<Res, Err>>,
    C: Classifier<Res, Err>,
    Err: FromOpen,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().call.project() {
            AdmissionProj::Refused { open } => Poll::Ready(Err(Err::from_open(*open))),
            AdmissionProj::Admitted { future, judge, guard } => {
                let polled = guard.watch(|| future.poll(cx));
                match &polled {
                    Poll::Pending => {
                        guard.wait();
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(answer)) => guard.settle(judge.classify(Ok(answer))),
                    Poll::Ready(Err(error)) => settle_error(judge, guard, error),
                }
                polled
            }
        }
    }
}

#[cold]
fn settle_error<C: Classifier<Res, Err>, Res, Err>(judge: &C, guard: &mut Guard, error: &Err) {
    guard.settle(judge.classify(Err(error)));
}
