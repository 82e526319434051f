use std::time::Duration;

use trysail_core::Cause;

use crate::window::Tally;

/// When a closed circuit opens.
///
/// The default opens on 5 failures in a row that span at least a second, on 20 in a row at any speed, and where half
/// of at least 20 calls failed that span at least 5 s of the last 40 s. The spans keep a busy caller's independent
/// errors from opening it: at 100 calls a second and 30 % of errors, five in a row come every few seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trip {
    pub(crate) streaks: [Option<Streak>; 2],
    pub(crate) rate: Option<Rate>,
}

/// So many failures in a row, the first at least so long ago.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Streak {
    pub(crate) failures: u32,
    pub(crate) span: Duration,
}

/// Such a share of failures among the calls of a sliding window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) share: f64,
    pub(crate) calls: u32,
    pub(crate) span: Duration,
    pub(crate) window: Duration,
}

impl Trip {
    /// Opens on `failures` in a row, and on nothing else. Zero counts as one.
    pub const fn consecutive(failures: u32) -> Self {
        let failures = if failures == 0 { 1 } else { failures };
        Self { streaks: [Some(Streak { failures, span: Duration::ZERO }), None], rate: None }
    }
}

impl Trip {
    /// With streaks of at least `retries + 2` failures.
    pub(crate) fn outlast(self, retries: u32) -> Self {
        let longer = |streak: Streak| Streak { failures: streak.failures.max(retries.saturating_add(2)), ..streak };
        Self { streaks: self.streaks.map(|streak| streak.map(longer)), ..self }
    }

    /// Why a circuit opens now, if it does.
    pub(crate) fn decide(&self, failures: u32, since: Duration, tally: impl FnOnce() -> Tally) -> Option<Cause> {
        if self.streak(failures, since) {
            return Some(Cause::Streak);
        }
        let rate = self.rate?;
        let tally = tally();
        let share = f64::from(tally.failures) / f64::from(tally.calls);
        (tally.calls >= rate.calls && tally.span >= rate.span && share >= rate.share).then_some(Cause::Rate)
    }

    /// Whether so many failures in a row are too many.
    pub(crate) fn streak(&self, failures: u32, since: Duration) -> bool {
        self.streaks.iter().flatten().any(|streak| failures >= streak.failures && since >= streak.span)
    }
}

impl Default for Trip {
    fn default() -> Self {
        Self {
            streaks: [
                Some(Streak { failures: 5, span: Duration::from_secs(1) }),
                Some(Streak { failures: 20, span: Duration::ZERO }),
            ],
            rate: Some(Rate { share: 0.5, calls: 20, span: Duration::from_secs(5), window: Duration::from_secs(40) }),
        }
    }
}
