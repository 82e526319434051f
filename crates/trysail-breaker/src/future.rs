use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use trysail_core::{Class, Classifier, FromOpen, Open};

use crate::{Circuit, outcome::Outcome, permit::Permit};

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

/// Makes sure that the circuit hears of a call it admitted, however that ends.
#[derive(Debug)]
pub(crate) struct Guard {
    /// `None` once it has heard, and for a call that goes through none.
    circuit: Option<Circuit>,
    permit: Permit,
    /// When the call began, in milliseconds of the circuit's clock, if that was read.
    since_ms: u32,
    timed: bool,
    /// Inside the service's code: if a drop finds it so, that code has panicked.
    running: bool,
}

/// Calls the service; if that panics, the circuit hears of it.
#[inline]
pub(crate) fn guarded<F, C>(mut guard: Guard, call: impl FnOnce() -> F, judge: C) -> ResponseFuture<F, C> {
    let future = guard.watch(call);
    ResponseFuture { call: Admission::Admitted { future, judge, guard } }
}

impl<F, C> ResponseFuture<F, C> {
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
                let Poll::Ready(outcome) = guard.watch(|| future.poll(cx)) else {
                    guard.wait();
                    return Poll::Pending;
                };
                let verdict = judge.classify(outcome.as_ref());
                match verdict.class() {
                    Class::Success => guard.succeed(),
                    Class::Refused => guard.give_up(),
                    _ => guard.settle(Outcome::of(verdict)),
                }
                Poll::Ready(outcome)
            }
        }
    }
}

impl Guard {
    #[inline]
    pub(crate) fn new(circuit: Circuit, permit: Permit) -> Self {
        let timed = circuit.times_calls();
        let since_ms = if timed { circuit.now_ms() } else { 0 };
        Self { circuit: Some(circuit), permit, since_ms, timed, running: false }
    }

    /// Of a call that goes through no circuit.
    pub(crate) const fn for_none() -> Self {
        Self { circuit: None, permit: Permit { generation: 0, probe: 0 }, since_ms: 0, timed: false, running: false }
    }

    #[inline]
    fn watch<T>(&mut self, code: impl FnOnce() -> T) -> T {
        self.running = true;
        let value = code();
        self.running = false;
        value
    }

    /// Notes when the call began to wait, if that matters and its beginning is not known anyway.
    #[inline]
    fn wait(&mut self) {
        if let Some(circuit) = &self.circuit
            && !self.timed
            && circuit.patience_ms().is_some()
        {
            (self.since_ms, self.timed) = (circuit.now_ms(), true);
        }
    }

    fn since(&self) -> Option<u32> {
        self.timed.then_some(self.since_ms)
    }

    /// The call ends without an answer, since its caller would not wait.
    fn give_up(&mut self) {
        let Some(circuit) = &self.circuit else { return };
        let abandoned = self.since().zip(circuit.patience_ms()).is_some_and(|(since, most)| {
            // The clock comes round after 49 days, which no call lasts.
            u64::from(circuit.now_ms().wrapping_sub(since)) >= most
        });
        self.settle(if abandoned { Outcome::Abandoned } else { Outcome::Neutral });
    }

    #[inline]
    fn succeed(&mut self) {
        if let Some(circuit) = self.circuit.take() {
            circuit.succeed(self.permit, self.since());
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        if let Some(circuit) = self.circuit.take() {
            circuit.settle(self.permit, outcome, self.since());
        }
    }

    /// The call is dropped, by its caller or by a panic.
    #[cold]
    fn abandon(&mut self) {
        if self.running {
            self.settle(Outcome::Failure { class: Class::Transient, hint: None });
        } else {
            self.give_up();
        }
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        if self.circuit.is_some() {
            self.abandon();
        }
    }
}
