use std::time::Duration;

use trysail_core::Cause;

use crate::window::{Counts, WindowLength};

/// When a closed circuit opens: on any of the rules that it holds.
///
/// The default opens on 5 failures in a row that span at least a second, on 20 in a row at any speed, and where half
/// of at least 20 calls failed that span at least 5 s of the last 40 s. The spans keep a busy caller's independent
/// errors from opening it: at 100 calls a second and 30 % of errors, five in a row come every few seconds.
///
/// Rates are compared by `>=`, after each failure and each slow call, and after a success that ends a streak or if there
/// were too few calls the last time. Their windows slide by a tenth. In a tenth of 256 calls or more, one success in eight
/// reads the clock, and the others count as of then: after a pause, up to seven may be missing. No failure ever is.
///
/// Whatever is set, a server that fails every call opens the circuit in time: what no window can hold is not asked of
/// it, and it does not matter in which order things are set.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_breaker::Trip;
/// let trip = Trip::rate(0.5).calls(10).last(100).or_slow(Duration::from_secs(4), 0.8).or_streak(5, Duration::ZERO);
/// # let _ = trip;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trip {
    pub(crate) streaks: [Option<StreakRule>; 2],
    pub(crate) failing: Option<f64>,
    pub(crate) slow: Option<SlowRule>,
    pub(crate) sample: Sample,
}

/// So many failures in a row, the first at least so long ago.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StreakRule {
    failures: u32,
    span: Duration,
}

/// Such a share of calls that take as long, or longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SlowRule {
    pub(crate) from: Duration,
    share: f64,
}

/// Which calls a rate is taken of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    least: u32,
    span: Duration,
    pub(crate) length: WindowLength,
}

impl Trip {
    /// Opens on `failures` in a row, and on nothing else. Zero counts as one.
    pub const fn consecutive(failures: u32) -> Self {
        Self::NEVER.or_streak(failures, Duration::ZERO)
    }

    /// Opens when this share of the calls in the window failed; of at least 20 calls that span at least 5 s of the last
    /// 40 s, unless set.
    ///
    /// Beyond 1, and what is no number, counts as 1: all calls failed. Zero and less is any failure at all.
    pub const fn rate(share: f64) -> Self {
        Self { failing: Some(possible(share)), ..Self::NEVER }
    }

    /// Also opens on `failures` in a row of which the first is at least `span` ago. There is room for two such rules;
    /// a third replaces the first.
    pub const fn or_streak(self, failures: u32, span: Duration) -> Self {
        let failures = if failures == 0 { 1 } else { failures };
        let [first, second] = self.streaks;
        let streak = Some(StreakRule { failures, span });
        let streaks = if second.is_none() { [first, streak] } else { [second, streak] };
        Self { streaks, ..self }
    }

    /// Also opens when this share of the calls in the window took `from` or longer, whatever came of them; a call is
    /// timed to the millisecond. The share is taken as that of [`rate`](Self::rate).
    pub const fn or_slow(self, from: Duration, share: f64) -> Self {
        Self { slow: Some(SlowRule { from, share: possible(share) }), ..self }
    }

    /// How many calls a rate is taken of at least. As many as a full window surely holds are always enough, and so are
    /// 8,191.
    pub const fn calls(self, least: u32) -> Self {
        Self { sample: Sample { least, ..self.sample }, ..self }
    }

    /// How long the calls must span that a rate is taken of: half of the window at most, since no window is sure to hold
    /// more of a server's calls; of a window of calls, nothing.
    pub const fn span(self, span: Duration) -> Self {
        Self { sample: Sample { span, ..self.sample }, ..self }
    }

    /// Takes rates of the calls of so long a time: ten milliseconds at least.
    pub const fn within(self, window: Duration) -> Self {
        Self { sample: Sample { length: WindowLength::Time(window), ..self.sample }, ..self }
    }

    /// Takes rates of the last so many calls, from 1 to 100,000, whenever they were: no span is asked for.
    pub const fn last(self, calls: u32) -> Self {
        Self { sample: Sample { length: WindowLength::Calls(calls), ..self.sample }, ..self }
    }

    /// With streaks of at least `retries + 2` failures.
    pub(crate) fn outlast(self, retries: u32) -> Self {
        let longer =
            |streak: StreakRule| StreakRule { failures: streak.failures.max(retries.saturating_add(2)), ..streak };
        Self { streaks: self.streaks.map(|streak| streak.map(longer)), ..self }
    }

    /// With slow calls no slower than one can be that is cut after `limit`.
    pub(crate) fn slow_within(self, limit: Duration) -> Self {
        // To the millisecond below, in which such a call is sure to be timed.
        let limit = limit.checked_sub(Duration::from_nanos(u64::from(limit.subsec_nanos()) % 1_000_000));
        let within = |slow: SlowRule| SlowRule { from: limit.map_or(slow.from, |limit| slow.from.min(limit)), ..slow };
        Self { slow: self.slow.map(within), ..self }
    }

    /// Whether so many failures in a row are too many.
    pub(crate) fn on_streak(&self, failures: u32, since: Duration) -> Option<Cause> {
        let too_many = |streak: &StreakRule| failures >= streak.failures && since >= streak.span;
        self.streaks.iter().flatten().any(too_many).then_some(Cause::Streak)
    }

    /// Whether too large a share of these calls failed, or was slow.
    pub(crate) fn on_rates(&self, failures: &Counts, slow: &Counts) -> Option<Cause> {
        let failing = self.failing.filter(|share| self.sample.reaches(failures, *share)).map(|_| Cause::Rate);
        failing.or_else(|| self.slow.filter(|rule| self.sample.reaches(slow, rule.share)).map(|_| Cause::Slow))
    }

    /// After how long one more success may be what is missing for a rate to be taken: at once where there are too few
    /// calls. `None` if nothing is missing, or nothing has failed.
    pub(crate) fn next_look(&self, failures: &Counts, slow: &Counts) -> Option<Duration> {
        let calls = if self.failing.is_some() { failures } else { slow };
        if failures.hits + slow.hits == 0 { None } else { self.sample.lacks(calls) }
    }

    const NEVER: Self = Self { streaks: [None; 2], failing: None, slow: None, sample: Sample::DEFAULT };
}

impl Default for Trip {
    fn default() -> Self {
        Self::rate(0.5).or_streak(5, Duration::from_secs(1)).or_streak(20, Duration::ZERO)
    }
}

impl Sample {
    const DEFAULT: Self =
        Self { least: 20, span: Duration::from_secs(5), length: WindowLength::Time(Duration::from_secs(40)) };

    fn reaches(&self, counts: &Counts, share: f64) -> bool {
        self.suffices(counts) && counts.hits > 0 && f64::from(counts.hits) / f64::from(counts.calls) >= share
    }

    fn suffices(&self, counts: &Counts) -> bool {
        self.lacks(counts).is_none()
    }

    /// How much time is missing for a rate to be taken of these calls: none if calls are missing.
    fn lacks(&self, counts: &Counts) -> Option<Duration> {
        if counts.calls < self.least.min(self.length.holds()).max(1) {
            return Some(Duration::ZERO);
        }
        self.span.min(self.length.spans()).checked_sub(counts.span).filter(|rest| !rest.is_zero())
    }
}

/// A share that some calls can reach, and that no call without a hit does.
const fn possible(share: f64) -> f64 {
    if share <= 0.0 {
        f64::MIN_POSITIVE
    } else if share < 1.0 {
        share
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_is_looked_at_only_while_calls_or_time_are_missing() {
        let counts = |calls| Counts { calls, hits: 1, span: Duration::from_secs(5) };
        let none = Counts::default();
        let failing = Trip::rate(0.5);
        let slow = Trip::consecutive(9).or_slow(Duration::ZERO, 0.5);
        let both = failing.or_slow(Duration::ZERO, 0.5);
        for (trip, counted) in [(failing, [true, false]), (slow, [false, true]), (both, [true, true])] {
            let waits = |calls| {
                let [failures, slow] = counted.map(|counted| if counted { counts(calls) } else { none });
                trip.next_look(&failures, &slow)
            };
            assert_eq!((waits(19), waits(20)), (Some(Duration::ZERO), None), "{trip:?}");
        }
        assert_eq!(failing.next_look(&none, &none), None, "no success opens it where nothing failed");
        let early = Counts { span: Duration::from_secs(3), ..counts(20) };
        assert_eq!(failing.next_look(&early, &none), Some(Duration::from_secs(2)));
    }
}
