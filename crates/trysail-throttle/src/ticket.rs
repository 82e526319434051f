use std::task::Waker;

use tokio::time::Instant;
use trysail_core::Held;

use crate::{decision::Look, fare::Fare, pace::Pace, time::between};

/// A place in the queue, given up when it is dropped.
pub(crate) struct Ticket {
    pace: Pace,
    id: u64,
    /// When it was taken, by the pace's clock.
    since: u64,
    is_over: bool,
}

impl Ticket {
    pub(crate) fn new(pace: Pace, id: u64) -> Self {
        let since = pace.now();
        Self { pace, id, since, is_over: false }
    }

    /// What has become of the call; or when it should look again, unless it is woken before.
    pub(crate) fn look(&mut self, waker: &Waker) -> Result<Result<Fare, Held>, Instant> {
        let look = self.pace.change(|machine, rates, now| {
            let look = machine.look(rates, self.id, now);
            match (look, machine.queue.find(self.id)) {
                (Look::Waits(_), Some((place, ..))) => machine.queue.wakes(place, waker),
                _ => machine.tally.waits(between(self.since, now)),
            }
            look
        });
        match look {
            Look::Decided(decision) => {
                self.is_over = true;
                Ok(decision)
            }
            Look::Waits(until) => Err(self.pace.instant(until)),
        }
    }

    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_over {
            self.pace.change(|machine, rates, now| {
                machine.tally.waits(between(self.since, now));
                machine.leaves(rates, self.id, now);
            });
        }
    }
}
