//! How calls pass through a circuit.

use std::{
    sync::atomic::Ordering::{Acquire, Relaxed},
    time::Duration,
};

use tokio::time::Instant;
use trysail_core::{Cause, Class, Open};

use crate::{
    circuit::{CLOCK, Circuit, FAILURES, SLOW, THROTTLED, ms},
    gate::Gate,
    state::{FORCED_RETRY, Outcome, PROBING_RETRY, Pass},
};

impl Circuit {
    /// The refusal that is certain already, so that nobody need wait for the service's readiness to hear it.
    #[inline]
    pub(crate) fn peek(&self) -> Option<Open> {
        let gate = self.shared.gate.load(Acquire);
        if Gate::closed(gate).is_some() { None } else { self.peek_unclosed(gate) }
    }

    #[inline]
    pub(crate) fn admit(&self) -> Result<Pass, Open> {
        let gate = self.shared.gate.load(Acquire);
        match Gate::closed(gate) {
            Some(generation) => Ok(Pass { generation, probe: 0 }),
            None => self.admit_unclosed(gate),
        }
    }

    /// Takes the success of a call; most of them change nothing but the counts.
    #[inline]
    pub(crate) fn succeed(&self, pass: Pass, since: Option<u32>) {
        let at_rest = Gate::Closed { generation: pass.generation, minds_success: false };
        if self.shared.gate.load(Acquire) != at_rest.pack() || pass.probe != 0 || self.uses(SLOW) {
            self.settle(pass, Outcome::Success, since);
        } else if self.uses(FAILURES) {
            self.count_success(pass.generation);
        }
    }

    /// Counts a success that changes nothing else.
    fn count_success(&self, generation: u32) {
        let now_ms = if self.uses(CLOCK) { self.ms(Instant::now()) } else { 0 };
        self.shared.failures.record(now_ms, generation, false);
    }

    /// Whether the length of a call matters.
    #[inline]
    pub(crate) fn times_calls(&self) -> bool {
        self.uses(SLOW)
    }

    /// The time of the circuit's own clock, which comes round after 49 days.
    pub(crate) fn now_ms(&self) -> u32 {
        self.ms(Instant::now()) as u32
    }

    /// How long a call must be given up after, to count as abandoned.
    #[inline]
    pub(crate) fn patience_ms(&self) -> Option<u64> {
        Some(self.shared.abandoned_after_ms.load(Relaxed)).filter(|ms| *ms != u64::MAX)
    }

    /// Takes the outcome of a call that began at `since`, if its length matters.
    pub(crate) fn settle(&self, pass: Pass, outcome: Outcome, since: Option<u32>) {
        let outcome = match outcome {
            Outcome::Throttled { hint } if pass.probe == 0 && self.uses(THROTTLED) => {
                Outcome::Failure { class: Class::Throttled, hint }
            }
            outcome => outcome,
        };
        if pass.probe != 0 {
            return self.settle_at(pass, outcome, Instant::now());
        }
        let Gate::Closed { generation, minds_success } = Gate::unpack(self.shared.gate.load(Acquire)) else { return };
        if generation != pass.generation {
            return;
        }
        match outcome {
            Outcome::Neutral | Outcome::Throttled { .. } => {}
            Outcome::Success | Outcome::Failure { .. } => {
                let now = Instant::now();
                let failed = outcome != Outcome::Success;
                if self.count(generation, failed, since, now) || failed || minds_success {
                    self.settle_at(pass, outcome, now);
                }
            }
            Outcome::Abandoned => self.settle_at(pass, outcome, Instant::now()),
        }
    }

    /// Counts a judged call; says whether it was slow.
    fn count(&self, generation: u32, failed: bool, since: Option<u32>, now: Instant) -> bool {
        let shared = &self.shared;
        let now_ms = self.ms(now);
        if self.uses(FAILURES) {
            shared.failures.record(now_ms, generation, failed);
        }
        if !self.uses(SLOW) {
            return false;
        }
        let took_ms = since.map_or(0, |since| (now_ms as u32).wrapping_sub(since));
        let slow = u64::from(took_ms) >= shared.slow_from_ms.load(Relaxed);
        shared.slow.record(now_ms, generation, slow);
        slow
    }

    // Out of line, to keep small what calls of a closed circuit go through.
    #[inline(never)]
    fn peek_unclosed(&self, gate: u64) -> Option<Open> {
        refusal(gate, self.ms(Instant::now()))
    }

    #[cold]
    fn admit_unclosed(&self, gate: u64) -> Result<Pass, Open> {
        if Gate::unpack(gate) == Gate::Disabled {
            // Its result finds a gate that is not closed, and is for nobody.
            return Ok(Pass { generation: 0, probe: 0 });
        }
        let now = Instant::now();
        if let Some(open) = refusal(gate, self.ms(now)) {
            return Err(open);
        }
        self.change(now, |machine| machine.admit(now))
    }

    #[cold]
    fn settle_at(&self, pass: Pass, outcome: Outcome, now: Instant) {
        let tallies = || self.tallies(pass.generation, now);
        self.change(now, |machine| machine.settle(pass, outcome, now, tallies));
    }
}

/// The refusal that `gate` stands for, unless a call may pass.
fn refusal(gate: u64, now_ms: u64) -> Option<Open> {
    match Gate::unpack(gate) {
        Gate::Closed { .. } | Gate::Disabled => None,
        Gate::Forced => Some(Open::new(FORCED_RETRY, Cause::Forced, None)),
        Gate::Shut { until_ms, probing, cause, class } => {
            let rest_ms = until_ms.checked_sub(now_ms).filter(|ms| *ms > 0)?;
            let rest_ms = if probing { rest_ms.min(ms(PROBING_RETRY)) } else { rest_ms };
            Some(Open::new(Duration::from_millis(rest_ms), cause, class))
        }
    }
}
