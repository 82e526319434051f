//! How calls keep a pace.

use std::time::Duration;

use trysail_core::{Allowance, Held, Lesson};

use crate::{
    decision::Arrival,
    fare::Fare,
    heard::Heard,
    pace::{BEGIN, EPOCH_AT, GATE, Pace, RATES, WATCH},
    queue::Want,
    sync::Ordering::Acquire,
    time::nanos,
    trace,
};

/// What becomes of a call.
pub(crate) enum Passage {
    Passes(Fare),
    /// It waits, under this number.
    Waits(u64),
    Refused(Held),
}

impl Pace {
    /// The epoch, if calls need take nothing.
    #[inline]
    pub(crate) fn free(&self) -> Option<u32> {
        let word = self.inner.word.load(Acquire);
        let is_free = word & (RATES | GATE | WATCH) == 0 && (word & BEGIN == 0 || self.is_quiet());
        is_free.then_some((word >> EPOCH_AT) as u32)
    }

    /// Takes what a call needs that costs so much and may wait for so long.
    pub(crate) fn admit(&self, (cost, most): (u64, Option<Duration>)) -> Passage {
        let word = self.inner.word.load(Acquire);
        let epoch = (word >> EPOCH_AT) as u32;
        let now = self.now();
        if word & (GATE | BEGIN) == 0 && self.inner.rates.take(cost, now).is_ok() {
            return Passage::Passes(self.inner.rates.fare(cost, epoch, now));
        }
        let until = most.map_or(u64::MAX, |most| now.saturating_add(nanos(most)));
        self.enter(Want { cost, until })
    }

    /// A call has taught what the server allows, and what it has cost.
    #[inline]
    pub(crate) fn learn(&self, fare: &Fare, lesson: Lesson) {
        if lesson != Lesson::default() {
            self.learn_lesson(*fare, lesson);
        }
    }

    /// A call has succeeded, which most of the time changes nothing but what was used up.
    #[inline]
    pub(crate) fn succeed(&self, fare: &Fare, actual: Option<u64>) {
        if fare.places.are_any() || self.inner.word.load(Acquire) & WATCH != 0 {
            self.settle(fare, Heard::Success, actual);
        } else {
            self.inner.purse.spend(actual.unwrap_or_else(|| fare.cost()), Heard::Success);
        }
    }

    /// A call has ended; the server may have counted what it cost.
    #[cold]
    #[inline(never)]
    pub(crate) fn settle(&self, fare: &Fare, outcome: Heard, actual: Option<u64>) {
        self.inner.purse.spend(actual.unwrap_or_else(|| fare.cost()), outcome);
        let is_special = fare.places.are_any();
        let is_minded = match outcome {
            Heard::Success | Heard::Answered => is_special || self.inner.word.load(Acquire) & WATCH != 0,
            Heard::Failed | Heard::Silence | Heard::Abandoned => is_special,
            Heard::Throttled(_) | Heard::Shut(_) | Heard::Unsent => true,
        };
        if is_minded {
            self.settle_minded(*fare, outcome, actual.unwrap_or_else(|| fare.cost()));
        }
    }

    #[cold]
    fn enter(&self, want: Want) -> Passage {
        match self.change(|machine, rates, now| machine.enter(rates, want, now)) {
            Arrival::Passes(fare) => Passage::Passes(fare),
            Arrival::Waits(id) => Passage::Waits(id),
            Arrival::Refused(held) => Passage::Refused(held),
        }
    }

    #[inline(never)]
    fn learn_lesson(&self, fare: Fare, lesson: Lesson) {
        if let Some(actual) = lesson.cost {
            self.inner.rates.correct(fare, actual);
        }
        if lesson.allowance != Allowance::default() {
            self.change(|machine, rates, now| machine.learn(rates, fare, lesson.allowance, now));
        }
    }

    #[cold]
    fn settle_minded(&self, fare: Fare, outcome: Heard, cost: u64) {
        if let Some(event) = self.change(|machine, rates, now| machine.settle(rates, fare, outcome, cost, now)) {
            trace::told(self.name(), event, || self.snapshot());
        }
    }
}
