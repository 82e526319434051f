//! How calls pass through a circuit.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use tokio::time::Instant;
use trysail_core::{Class, Open};

use crate::{
    circuit::{CLOCK, CircuitInner, FAILURES, SLOW, THROTTLED},
    outcome::Outcome,
    packed_state::PackedState,
    permit::Permit,
    refusal::{LastRefusal, refusal},
};

impl CircuitInner {
    /// The refusal that is certain already, so that nobody need wait for the service's readiness to hear it.
    #[inline]
    pub(crate) fn peek(&self, last: &mut LastRefusal) -> Option<Open> {
        let word = self.state.load(Acquire);
        if PackedState::is_closed(word) { None } else { last.at(self, word, Instant::now()) }
    }

    #[inline]
    pub(crate) fn admit(&self) -> Result<Permit, Open> {
        let word = self.state.load(Acquire);
        PackedState::permit(word).map_or_else(|| self.admit_slowly(word), Ok)
    }

    /// Takes the success of a call; most of them change nothing but the counts.
    #[inline]
    pub(crate) fn succeed(&self, permit: Permit) {
        match PackedState::at_rest(self.state.load(Acquire), permit) {
            None => self.settle(permit, Outcome::Success),
            Some(true) => self.count_success(permit.generation()),
            Some(false) => {}
        }
    }

    /// Counts a success that changes nothing else.
    #[inline]
    fn count_success(&self, generation: u32) {
        if !self.failures.count_undated() {
            self.count_dated_success(generation);
        }
    }

    #[inline(never)]
    fn count_dated_success(&self, generation: u32) {
        if !self.uses(CLOCK) {
            return self.failures.record(0, generation, false);
        }
        let now = Instant::now();
        let now_ms = self.ms(now);
        self.failures.record(now_ms, generation, false);
        if self.looks(now_ms) {
            self.settle_at(Permit::new(generation, 0), Outcome::Success, now);
        }
    }

    /// Whether a success may open it now.
    fn looks(&self, now_ms: u64) -> bool {
        now_ms >= self.look_at_ms.load(Relaxed)
    }

    /// The time of the circuit's own clock, which comes round after 49 days.
    pub(crate) fn now_ms(&self) -> u32 {
        self.ms(Instant::now()) as u32
    }

    /// How long a call must be given up after, to count as abandoned.
    #[inline]
    pub(crate) fn patience_ms(&self) -> Option<u64> {
        Some(self.abandoned_after_ms.load(Relaxed)).filter(|ms| *ms != u64::MAX)
    }

    /// Takes the outcome of a call.
    pub(crate) fn settle(&self, permit: Permit, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Throttled { hint } if permit.probe() == 0 && self.uses(THROTTLED) => {
                Outcome::Failure { class: Class::Throttled, hint }
            }
            outcome => outcome,
        };
        if permit.probe() != 0 {
            return self.settle_at(permit, outcome, Instant::now());
        }
        let PackedState::Closed { generation, minds_success, .. } = PackedState::unpack(self.state.load(Acquire))
        else {
            return;
        };
        if generation != permit.generation() {
            return;
        }
        match outcome {
            Outcome::Neutral | Outcome::Throttled { .. } => {}
            Outcome::Success | Outcome::Failure { .. } => {
                let now = Instant::now();
                let now_ms = self.ms(now);
                let failed = outcome != Outcome::Success;
                let slow = self.count(generation, failed, permit.since_ms, now_ms);
                if failed || slow || minds_success || self.looks(now_ms) {
                    self.settle_at(permit, outcome, now);
                }
            }
            Outcome::Abandoned => self.settle_at(permit, outcome, Instant::now()),
        }
    }

    /// Counts a judged call; says whether it was slow.
    fn count(&self, generation: u32, failed: bool, since_ms: Option<u32>, now_ms: u64) -> bool {
        if self.uses(FAILURES) {
            self.failures.record(now_ms, generation, failed);
        }
        if !self.uses(SLOW) {
            return false;
        }
        let took_ms = since_ms.map_or(0, |since_ms| (now_ms as u32).wrapping_sub(since_ms));
        let slow = u64::from(took_ms) >= self.slow_from_ms.load(Relaxed);
        self.slow.record(now_ms, generation, slow);
        slow
    }

    #[cold]
    fn admit_slowly(&self, word: u64) -> Result<Permit, Open> {
        let permit = match PackedState::unpack(word) {
            PackedState::Closed { generation, .. } => Permit::new(generation, 0),
            // Its result finds a circuit that is not closed, and is for nobody.
            PackedState::Disabled => return Ok(Permit::NONE),
            PackedState::Shut { .. } | PackedState::Forced => {
                let now = Instant::now();
                match refusal(word, self.ms(now)) {
                    Some(open) => return Err(open),
                    None => self.change(now, |machine| machine.admit(now))?,
                }
            }
        };
        // A call of a closed circuit, or a probe.
        Ok(if self.uses(SLOW) { permit.begun(self.now_ms()) } else { permit })
    }

    #[cold]
    fn settle_at(&self, permit: Permit, outcome: Outcome, now: Instant) {
        let counts = || self.counts(permit.generation(), now);
        self.change(now, |machine| machine.settle(permit, outcome, now, counts));
    }
}
