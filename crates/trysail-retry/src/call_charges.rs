use std::mem;

use tokio::time::Instant;
use trysail_core::{Class, Verdict};

use crate::{Budget, Charge};

/// How the budget stands to one call; what was paid for and not sent goes back when this is dropped.
#[derive(Debug)]
pub(crate) struct CallCharges {
    budget: Option<Budget>,
    /// Paid for attempts that are over.
    taken: Charge,
    /// It found the budget empty, and not for a limit of the server's: what it has paid is spent, or it would come back,
    /// with that of all who wait, to a server that drowns.
    waited: bool,
    /// A retry that was paid for was refused, and is still to come.
    owed: bool,
    next: AttemptCharge,
}

/// How it stands to the latest attempt.
#[derive(Clone, Copy, Debug, Default)]
enum AttemptCharge {
    #[default]
    Free,
    /// It could not be paid for yet.
    Unpaid { since: Instant },
    /// It is paid for, and may not have been sent.
    Paid(Charge),
    /// It was waited for; even a refusal does not mean now that nothing was sent.
    Sent(Charge),
}

impl CallCharges {
    pub(crate) fn new(budget: Option<Budget>) -> Self {
        Self { budget, taken: Charge::default(), waited: false, owed: false, next: AttemptCharge::Free }
    }

    pub(crate) const fn is_owed(&self) -> bool {
        self.owed
    }

    pub(crate) const fn is_unpaid(&self) -> bool {
        matches!(self.next, AttemptCharge::Unpaid { .. })
    }

    /// Whether the next attempt is paid for.
    pub(crate) fn pay(&mut self, due: Verdict, now: Instant) -> bool {
        let Some(budget) = &self.budget else { return true };
        let (charge, since) = match self.next {
            AttemptCharge::Unpaid { since } => (budget.withdraw_late(due, since, now), since),
            _ => (budget.withdraw(due, now), now),
        };
        let Some(charge) = charge else {
            self.next = AttemptCharge::Unpaid { since };
            if due.class() != Class::Throttled {
                (self.taken, self.waited) = (Charge::default(), true);
            }
            return false;
        };
        (self.next, self.owed) = (AttemptCharge::Paid(charge), false);
        true
    }

    /// The attempt in flight has been waited for.
    pub(crate) fn sent(&mut self) {
        if let AttemptCharge::Paid(charge) = self.next {
            self.next = AttemptCharge::Sent(charge);
        }
    }

    /// An attempt is over; one that was refused at once was not sent. Gives what all attempts have taken.
    pub(crate) fn settle(&mut self, refused: bool) -> Charge {
        match mem::take(&mut self.next) {
            AttemptCharge::Paid(charge) if refused => {
                self.give_back(charge);
                self.owed = true;
            }
            AttemptCharge::Paid(charge) | AttemptCharge::Sent(charge) if self.waited => self.taken = charge.spent(),
            AttemptCharge::Paid(charge) | AttemptCharge::Sent(charge) => self.taken = self.taken.plus(charge),
            AttemptCharge::Free | AttemptCharge::Unpaid { .. } => {}
        }
        self.taken
    }

    /// The call has succeeded: the budget earns by it, and gets back what its attempts have taken.
    pub(crate) fn succeed(&mut self) {
        let taken = self.settle(false);
        if let Some(budget) = &self.budget {
            budget.succeed(taken);
        }
    }

    fn give_back(&self, charge: Charge) {
        if let Some(budget) = &self.budget {
            budget.give_back(charge);
        }
    }
}

/// What is in flight has been sent.
impl Drop for CallCharges {
    fn drop(&mut self) {
        if let AttemptCharge::Paid(charge) = self.next {
            self.give_back(charge);
        }
    }
}
