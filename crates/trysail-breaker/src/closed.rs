use tokio::time::Instant;
use trysail_core::Cause;

use crate::{
    open_time::later,
    outcome::{Opening, Outcome},
    trip::Trip,
    window::Counts,
};

/// What a closed circuit keeps beside its windows.
#[derive(Debug)]
pub(crate) struct Closed {
    streak: Option<Streak>,
    /// Each success may open the circuit: too few calls were judged for a rate that has failures.
    watch: bool,
    /// From then on a success may, since the calls of such a rate span enough time.
    look_at: Option<Instant>,
}

/// Failures in a row.
#[derive(Clone, Copy, Debug)]
struct Streak {
    failures: u32,
    since: Instant,
}

impl Closed {
    /// It counts from nothing.
    pub(crate) const NEW: Self = Self { streak: None, watch: false, look_at: None };

    /// How many failures there were in a row.
    pub(crate) fn failures_in_a_row(&self) -> u32 {
        self.streak.map_or(0, |streak| streak.failures)
    }

    /// Whether the next success changes anything.
    pub(crate) const fn minds_success(&self) -> bool {
        self.streak.is_some() || self.watch
    }

    /// From when on a success changes something, if that does not change before.
    pub(crate) const fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Takes the outcome of a call; says whether the circuit opens for it. `counts` are the windows of failures and of
    /// slow calls with that outcome in them.
    pub(crate) fn settle(
        &mut self,
        outcome: Outcome,
        trip: &Trip,
        now: Instant,
        counts: impl Fn() -> (Counts, Counts),
    ) -> Option<Opening> {
        let (class, hint) = match outcome {
            Outcome::Failure { class, hint } => (Some(class), hint),
            _ => (None, None),
        };
        let by_streak = match outcome {
            Outcome::Failure { .. } | Outcome::Abandoned => {
                let streak = Streak::longer(self.streak, now);
                self.streak = Some(streak);
                trip.on_streak(streak.failures, now - streak.since)
            }
            Outcome::Success => {
                self.streak = None;
                None
            }
            Outcome::Throttled { .. } | Outcome::Neutral => None,
        };
        let cause = by_streak.or_else(|| self.by_rate(trip, now, counts()))?;
        Some(Opening { cause, class, hint })
    }

    fn by_rate(&mut self, trip: &Trip, now: Instant, (failures, slow): (Counts, Counts)) -> Option<Cause> {
        let look = trip.next_look(&failures, &slow);
        self.watch = look.is_some_and(|time| time.is_zero());
        self.look_at = look.filter(|time| !time.is_zero()).map(|time| later(now, time));
        trip.on_rates(&failures, &slow)
    }
}

impl Streak {
    fn longer(streak: Option<Self>, now: Instant) -> Self {
        let streak = streak.unwrap_or(Self { failures: 0, since: now });
        Self { failures: streak.failures.saturating_add(1), ..streak }
    }
}
