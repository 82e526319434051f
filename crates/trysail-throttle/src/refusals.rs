//! How a machine refuses those who wait.

use trysail_core::{Held, Hold};

#[cfg(feature = "redis")]
use crate::queue::Others;
use crate::{machine::Machine, rates::Rates, time::between};

impl Machine {
    /// Refuses those at once who would wait in vain.
    pub(crate) fn sweep(&mut self, rates: &Rates, now: u64) {
        let (latched, paused, tally) = (self.latch.refusal(now), self.paused_until, &mut self.tally);
        let hold = if paused > now { Hold::Pause } else { Hold::Rate };
        self.queue.sweep(|want, others| {
            let turn = rates.turn(others.count, others.cost, want.cost, now.max(paused));
            let late = || (turn > want.until).then(|| Held::new(hold, between(now, turn)));
            latched.or_else(late).map(|held| tally.refuses(held))
        });
    }

    pub(crate) fn late(&mut self, turn: u64, now: u64) -> Held {
        let hold = if self.paused_until > now { Hold::Pause } else { Hold::Rate };
        self.tally.refuses(Held::new(hold, between(now, turn)))
    }

    /// Whether the first of those who wait would wait for too long.
    #[cfg(feature = "redis")]
    pub(crate) fn is_first_late(&mut self, rates: &Rates, now: u64) -> bool {
        self.queue.first().is_some_and(|want| self.turn(rates, Others::default(), want, now) > want.until)
    }
}
