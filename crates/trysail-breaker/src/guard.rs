use std::mem;

use trysail_core::{Class, Verdict};

use crate::{Circuit, outcome::Outcome, permit::Permit};

/// Makes sure that the circuit hears of a call it admitted, however that ends.
#[derive(Debug)]
pub(crate) struct Guard {
    /// `None` once it has heard, and for a call that goes through none.
    circuit: Option<Circuit>,
    permit: Permit,
}

/// Code of the service runs: if it panics, the call has failed.
struct Watch<'a>(&'a mut Guard);

impl Guard {
    /// `None` goes through no circuit.
    #[inline]
    pub(crate) const fn new(circuit: Option<Circuit>, permit: Permit) -> Self {
        Self { circuit, permit }
    }

    /// Runs code of the service.
    #[inline]
    pub(crate) fn watch<T>(&mut self, code: impl FnOnce() -> T) -> T {
        let watch = Watch(self);
        let value = code();
        mem::forget(watch);
        value
    }

    /// Notes when the call began to wait, if that matters and its beginning is not known anyway.
    #[inline]
    pub(crate) fn wait(&mut self) {
        if let Some(circuit) = &self.circuit
            && circuit.inner.patience_ms().is_some()
            && self.permit.since_ms.is_none()
        {
            self.permit.since_ms = Some(circuit.inner.now_ms());
        }
    }

    /// Tells the circuit what came of the call.
    #[inline(always)]
    pub(crate) fn settle(&mut self, verdict: Verdict) {
        match verdict.class() {
            Class::Success => self.succeed(),
            Class::Refused => self.give_up(),
            _ => self.end(Outcome::of(verdict)),
        }
    }

    #[inline]
    fn succeed(&mut self) {
        if let Some(circuit) = self.circuit.take() {
            circuit.inner.succeed(self.permit);
        }
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(circuit) = self.circuit.take() {
            circuit.inner.settle(self.permit, outcome);
        }
    }

    /// The call ends without an answer, since its caller would not wait.
    #[cold]
    fn give_up(&mut self) {
        let Some(circuit) = &self.circuit else { return };
        let inner = &circuit.inner;
        let abandoned = self.permit.since_ms.zip(inner.patience_ms()).is_some_and(|(since_ms, most)| {
            // The clock comes round after 49 days, which no call lasts.
            u64::from(inner.now_ms().wrapping_sub(since_ms)) >= most
        });
        self.end(if abandoned { Outcome::Abandoned } else { Outcome::Neutral });
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        if self.circuit.is_some() {
            self.give_up();
        }
    }
}

impl Drop for Watch<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.end(Outcome::Failure { class: Class::Transient, hint: None });
    }
}
