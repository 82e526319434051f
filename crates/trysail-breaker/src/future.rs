use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use trysail_core::{Class, Classifier, FromOpen, Open};

use crate::{
    Circuit,
    state::{Outcome, Pass},
};

pin_project! {
    /// The call, or its refusal.
    #[derive(Debug)]
    pub struct ResponseFuture<F, C> {
        #[pin]
        call: Call<F, C>,
    }
}

pin_project! {
    #[project = CallProj]
    #[derive(Debug)]
    enum Call<F, C> {
        Admitted { #[pin] future: F, judge: C, guard: Guard },
        Refused { open: Open },
    }
}

/// Makes sure that the circuit hears of a call it admitted, however that ends.
#[derive(Debug)]
pub(crate) struct Guard {
    circuit: Circuit,
    pass: Pass,
    stage: Stage,
    since: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Between two polls.
    Waiting,
    /// Inside the service's code: if this is what a drop finds, that code has panicked.
    Running,
    Settled,
}

/// Calls the service; if that panics, the circuit hears of it.
pub(crate) fn guarded<F, C>(mut guard: Guard, call: impl FnOnce() -> F, judge: C) -> ResponseFuture<F, C> {
    let future = guard.watch(call);
    ResponseFuture { call: Call::Admitted { future, judge, guard } }
}

impl<F, C> ResponseFuture<F, C> {
    pub(crate) const fn refused(open: Open) -> Self {
        Self { call: Call::Refused { open } }
    }
}

impl<F, C, Res, Err> Future for ResponseFuture<F, C>
where
    F: Future<Output = Result<Res, Err>>,
    C: Classifier<Res, Err>,
    Err: FromOpen,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().call.project() {
            CallProj::Refused { open } => Poll::Ready(Err(Err::from_open(*open))),
            CallProj::Admitted { future, judge, guard } => {
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
    pub(crate) fn new(circuit: Circuit, pass: Pass) -> Self {
        let since = circuit.times_calls().then(Instant::now);
        Self { circuit, pass, stage: Stage::Waiting, since }
    }

    fn watch<T>(&mut self, code: impl FnOnce() -> T) -> T {
        self.stage = Stage::Running;
        let value = code();
        self.stage = Stage::Waiting;
        value
    }

    /// Notes when the call began to wait, if that matters and its beginning is not known anyway.
    fn wait(&mut self) {
        if self.since.is_none() && self.circuit.patience().is_some() {
            self.since = Some(Instant::now());
        }
    }

    /// The call is dropped, by its caller or by a panic.
    #[cold]
    fn abandon(&mut self) {
        match self.stage {
            Stage::Running => self.settle(Outcome::Failure { class: Class::Transient, hint: None }),
            Stage::Waiting | Stage::Settled => self.give_up(),
        }
    }

    /// The call ends without an answer, since its caller would not wait.
    fn give_up(&mut self) {
        let abandoned = self.since.zip(self.circuit.patience()).is_some_and(|(since, most)| since.elapsed() >= most);
        self.settle(if abandoned { Outcome::Abandoned } else { Outcome::Neutral });
    }

    #[inline]
    fn succeed(&mut self) {
        self.stage = Stage::Settled;
        self.circuit.succeed(self.pass, self.since);
    }

    fn settle(&mut self, outcome: Outcome) {
        self.stage = Stage::Settled;
        self.circuit.settle(self.pass, outcome, self.since);
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        if self.stage != Stage::Settled {
            self.abandon();
        }
    }
}
