use alloc::sync::Arc;

use crate::Verdict;

/// Pays for requests that are sent in addition to the one that a call begins with: a retry budget, or `()` for nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not pay for additional requests",
    note = "pass a `Budget`, which is a handle and can be shared with a retry, or implement `Pay`"
)]
pub trait Pay {
    /// What was paid.
    type Charge;

    /// Pays for a request after one that was judged `verdict`; `None` if it cannot.
    fn pay(&self, verdict: Verdict) -> Option<Self::Charge>;

    /// Takes back what was paid for a request that was not sent after all, or that has helped.
    fn give_back(&self, charge: Self::Charge);
}

/// Everything is free.
impl Pay for () {
    type Charge = ();

    fn pay(&self, _: Verdict) -> Option<()> {
        Some(())
    }

    fn give_back(&self, (): ()) {}
}

impl<P: Pay + ?Sized> Pay for Arc<P> {
    type Charge = P::Charge;

    fn pay(&self, verdict: Verdict) -> Option<P::Charge> {
        (**self).pay(verdict)
    }

    fn give_back(&self, charge: P::Charge) {
        (**self).give_back(charge);
    }
}
