//! How calls pass through a circuit.

use std::{
    sync::atomic::Ordering::{Acquire, Relaxed},
    time::Duration,
};

use tokio::time::Instant;
use trysail_core::{Cause, Class, Open};

use crate::{
    circuit::{CLOCK, Circuit, FAILURES, SLOW, THROTTLED, ms},
    machine::{FORCED_RETRY, PROBING_RETRY},
    outcome::Outcome,
    packed_state::PackedState,
    permit::Permit,
};

impl Circuit {
    /// The refusal that is certain already, so that nobody need wait for the service's readiness to hear it.
    #[inline]
    pub(crate) fn peek(&self) -> Option<Open> {
        let word = self.inner.state.load(Acquire);
        if PackedState::closed(word).is_some() { None } else { self.peek_unclosed(word) }
    }

    #[inline]
    pub(crate) fn admit(&self) -> Result<Permit, Open> {
        let word = self.inner.state.load(Acquire);
        match PackedState::closed(word) {
            Some(generation) => Ok(Permit { generation, probe: 0 }),
            None => self.admit_unclosed(word),
        }
    }

    /// Takes the success of a call; most of them change nothing but the counts.
    #[inline]
    pub(crate) fn succeed(&self, permit: Permit, since: Option<u32>) {
        let at_rest = PackedState::Closed { generation: permit.generation, minds_success: false };
        if self.inner.state.load(Acquire) != at_rest.pack() || permit.probe != 0 || self.inner.uses(SLOW) {
            self.settle(permit, Outcome::Success, since);
        } else if self.inner.uses(FAILURES) {
            self.count_success(permit.generation);
        }
    }

    /// Counts a success that changes nothing else.
    fn count_success(&self, generation: u32) {
        let now_ms = if self.inner.uses(CLOCK) { self.inner.ms(Instant::now()) } else { 0 };
        self.inner.failures.record(now_ms, generation, false);
    }

    /// Whether the length of a call matters.
    #[inline]
    pub(crate) fn times_calls(&self) -> bool {
        self.inner.uses(SLOW)
    }

    /// The time of the circuit's own clock, which comes round after 49 days.
    pub(crate) fn now_ms(&self) -> u32 {
        self.inner.ms(Instant::now()) as u32
    }

    /// How long a call must be given up after, to count as abandoned.
    #[inline]
    pub(crate) fn patience_ms(&self) -> Option<u64> {
        Some(self.inner.abandoned_after_ms.load(Relaxed)).filter(|ms| *ms != u64::MAX)
    }

    /// Takes the outcome of a call that began at `since`, if its length matters.
    pub(crate) fn settle(&self, permit: Permit, outcome: Outcome, since: Option<u32>) {
        let outcome = match outcome {
            Outcome::Throttled { hint } if permit.probe == 0 && self.inner.uses(THROTTLED) => {
                Outcome::Failure { class: Class::Throttled, hint }
            }
            outcome => outcome,
        };
        if permit.probe != 0 {
            return self.settle_at(permit, outcome, Instant::now());
        }
        let PackedState::Closed { generation, minds_success } = PackedState::unpack(self.inner.state.load(Acquire))
        else {
            return;
        };
        if generation != permit.generation {
            return;
        }
        match outcome {
            Outcome::Neutral | Outcome::Throttled { .. } => {}
            Outcome::Success | Outcome::Failure { .. } => {
                let now = Instant::now();
                let failed = outcome != Outcome::Success;
                if self.count(generation, failed, since, now) || failed || minds_success {
                    self.settle_at(permit, outcome, now);
                }
            }
            Outcome::Abandoned => self.settle_at(permit, outcome, Instant::now()),
        }
    }

    /// Counts a judged call; says whether it was slow.
    fn count(&self, generation: u32, failed: bool, since: Option<u32>, now: Instant) -> bool {
        let inner = &*self.inner;
        let now_ms = inner.ms(now);
        if inner.uses(FAILURES) {
            inner.failures.record(now_ms, generation, failed);
        }
        if !inner.uses(SLOW) {
            return false;
        }
        let took_ms = since.map_or(0, |since| (now_ms as u32).wrapping_sub(since));
        let slow = u64::from(took_ms) >= inner.slow_from_ms.load(Relaxed);
        inner.slow.record(now_ms, generation, slow);
        slow
    }

    // Out of line, to keep small what calls of a closed circuit go through.
    #[inline(never)]
    fn peek_unclosed(&self, word: u64) -> Option<Open> {
        refusal(word, self.inner.ms(Instant::now()))
    }

    #[cold]
    fn admit_unclosed(&self, word: u64) -> Result<Permit, Open> {
        if PackedState::unpack(word) == PackedState::Disabled {
            // Its result finds a circuit that is not closed, and is for nobody.
            return Ok(Permit { generation: 0, probe: 0 });
        }
        let now = Instant::now();
        if let Some(open) = refusal(word, self.inner.ms(now)) {
            return Err(open);
        }
        self.inner.change(now, |machine| machine.admit(now))
    }

    #[cold]
    fn settle_at(&self, permit: Permit, outcome: Outcome, now: Instant) {
        let counts = || self.inner.counts(permit.generation, now);
        self.inner.change(now, |machine| machine.settle(permit, outcome, now, counts));
    }
}

/// The refusal that `word` stands for, unless a call may pass.
fn refusal(word: u64, now_ms: u64) -> Option<Open> {
    match PackedState::unpack(word) {
        PackedState::Closed { .. } | PackedState::Disabled => None,
        PackedState::Forced => Some(Open::new(FORCED_RETRY, Cause::Forced, None)),
        PackedState::Shut { until_ms, probing, cause, class } => {
            let rest_ms = until_ms.checked_sub(now_ms).filter(|ms| *ms > 0)?;
            let rest_ms = if probing { rest_ms.min(ms(PROBING_RETRY)) } else { rest_ms };
            Some(Open::new(Duration::from_millis(rest_ms), cause, class))
        }
    }
}
