use std::time::Duration;

use crate::time::nanos;

/// How calls begin: a few, and more with each round that is answered, until nobody has to wait for that.
///
/// After a pause it is one, and twice as many with each round. Where nobody knows how many are too many, a round takes three
/// times as many answers and brings a quarter more. What is in flight when a server says that it is too much is refused, and
/// is a small part then of what was answered.
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
    /// From so many on, more are too many perhaps.
    careful_from: Option<u32>,
    since: u64,
    /// When it ends, however many were answered.
    over_at: Option<u64>,
}

impl SlowStart {
    /// Begins once a pause ends `then`.
    pub(crate) fn begin_after_pause(&mut self, then: u64) {
        let careful_from = match self.careful_from {
            // It had only begun, so that says nothing.
            Some(0) if self.most <= CAREFUL => None,
            Some(from) if self.most > from => Some(self.most / 2),
            same => same,
        };
        *self = Self { most: 1, since: then, saves_nothing: true, careful_from, ..Self::default() };
    }

    /// The first calls of all, of which nobody knows how many are too many. A server that is slow and not limited must not be
    /// kept from work for long.
    pub(crate) fn careful(now: u64) -> Self {
        let over_at = Some(now.saturating_add(nanos(FIRST)));
        Self { most: CAREFUL, since: now, careful_from: Some(0), over_at, ..Self::default() }
    }

    /// Begins now, with who comes next.
    pub(crate) fn begin(&mut self, now: u64) {
        *self = Self { most: 1, since: now, ..Self::default() };
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.most > 0
    }

    /// Whether there was something before.
    pub(crate) fn remembers(&self) -> bool {
        self.is_on() && self.careful_from != Some(0)
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
        if self.over_at.is_some_and(|over_at| now >= over_at) {
            self.most = 0;
            return Ok(());
        }
        self.was_full = true;
        // A server that hangs must not hold those who wait: what is out does not count for longer.
        if now >= self.late() {
            self.next_round(self.most.saturating_mul(2), now);
            return Ok(());
        }
        Err(self.over_at.unwrap_or(u64::MAX).min(self.late()))
    }

    pub(crate) fn goes(&mut self) -> bool {
        self.out += u32::from(self.is_on());
        self.is_on()
    }

    /// One of those that count is back; says whether that ends a round of which nothing is kept.
    pub(crate) fn ends(&mut self, answered: bool, now: u64) -> bool {
        self.out = self.out.saturating_sub(1);
        if answered {
            self.answered += 1;
            self.since = now;
        }
        let is_careful = self.was_full && self.careful_from.is_some_and(|from| self.most >= from);
        let (round, more) =
            if is_careful { (self.most.saturating_mul(3), self.most.div_ceil(4)) } else { (self.most, self.most) };
        let is_over = self.is_on() && self.answered >= round;
        if is_over {
            self.next_round(self.most.saturating_add(more), now);
        }
        is_over && self.saves_nothing
    }

    fn next_round(&mut self, most: u32, now: u64) {
        let most = if self.was_full { most } else { 0 };
        *self = Self { most, answered: 0, was_full: false, since: now, ..*self };
    }

    fn late(&self) -> u64 {
        self.since.saturating_add(nanos(ROUND))
    }
}

/// How many may begin where nothing is known.
const CAREFUL: u32 = 4;
/// For how long the first calls of all are few.
const FIRST: Duration = Duration::from_secs(10);
/// For how long a round waits for its answers.
const ROUND: Duration = Duration::from_secs(5);
