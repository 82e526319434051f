use std::time::Duration;

use crate::time::nanos;

/// How calls come back after a pause: one, and twice as many with each round that is answered, until nobody has to wait for
/// that.
#[derive(Debug, Default)]
pub(crate) struct SlowStart {
    /// How many may be in flight; 0 when it is over.
    most: u32,
    out: u32,
    answered: u32,
    /// Somebody had to wait in this round.
    was_full: bool,
    /// What is left over of a round is no burst for the next.
    saves_nothing: bool,
    since: u64,
}

impl SlowStart {
    /// Begins once a pause ends `then`.
    pub(crate) fn begin_after_pause(&mut self, then: u64) {
        *self = Self { most: 1, since: then, saves_nothing: true, ..Self::default() };
    }

    /// Begins now, with who comes next.
    pub(crate) fn begin(&mut self, now: u64) {
        *self = Self { most: 1, since: now, ..Self::default() };
    }

    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.most > 0
    }

    /// How many may be in flight.
    pub(crate) fn most(&self) -> Option<u32> {
        self.is_on().then_some(self.most)
    }

    /// Whether one more may go, or else when the round is over at the latest.
    pub(crate) fn room(&mut self, now: u64) -> Result<(), u64> {
        if self.most == 0 || self.out < self.most {
            return Ok(());
        }
        self.was_full = true;
        // A server that hangs must not hold those who wait: what is out does not count for longer.
        if now >= self.late() {
            self.next_round(now);
            return Ok(());
        }
        Err(self.late())
    }

    pub(crate) fn goes(&mut self) -> bool {
        self.out += u32::from(self.is_on());
        self.is_on()
    }

    /// One of those that count is back; says whether that ends a round of which nothing is kept.
    pub(crate) fn ends(&mut self, answered: bool, now: u64) -> bool {
        self.out = self.out.saturating_sub(1);
        self.answered += u32::from(answered);
        let is_over = self.is_on() && self.answered >= self.most;
        if is_over {
            self.next_round(now);
        }
        is_over && self.saves_nothing
    }

    fn next_round(&mut self, now: u64) {
        let most = if self.was_full { self.most.saturating_mul(2) } else { 0 };
        *self = Self { most, answered: 0, was_full: false, since: now, ..*self };
    }

    fn late(&self) -> u64 {
        self.since.saturating_add(nanos(ROUND))
    }
}

/// For how long a round waits for its answers.
const ROUND: Duration = Duration::from_secs(5);
