use std::time::Duration;

use crate::Trip;

/// How a circuit is set: one value, given to [`Circuit::new`](crate::Circuit::new), read by
/// [`settings`](crate::Circuit::settings) and replaced whole by [`set`](crate::Circuit::set).
///
/// ```
/// # use std::time::Duration;
/// # use trysail_breaker::{Circuit, CircuitSettings, Trip};
/// let circuit = Circuit::new(CircuitSettings::new(Trip::default()).probes(2, 3));
/// // Later, from anywhere:
/// circuit.update(|settings| settings.lease(Duration::from_secs(10)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CircuitSettings {
    pub(crate) trip: Trip,
    /// How long it is open at first.
    pub(crate) open: Duration,
    pub(crate) cap: Duration,
    pub(crate) most_hint: Duration,
    /// How many probe at once, and how many of their successes close.
    pub(crate) at_once: u32,
    pub(crate) successes: u32,
    /// `None` until somebody has said it.
    lease: Option<Duration>,
    pub(crate) abandoned_after: Option<Duration>,
    pub(crate) count_throttled: bool,
}

impl CircuitSettings {
    /// Opens as `trip` says: for 5 s at first, twice as long after each failed probe, up to 15 s, each time between half
    /// and all of that; at least as long as the server asks for, up to 60 s.
    pub const fn new(trip: Trip) -> Self {
        Self {
            trip,
            open: Duration::from_secs(5),
            cap: Duration::from_secs(15),
            most_hint: Duration::from_secs(60),
            at_once: 1,
            successes: 1,
            lease: None,
            abandoned_after: None,
            count_throttled: false,
        }
    }

    /// When it opens.
    pub const fn trip(self, trip: Trip) -> Self {
        Self { trip, ..self }
    }

    /// How long the circuit stays open (the cooldown): `first`, and twice as long after each failed probe, up to `cap`, which holds for
    /// `first` too. Less than a millisecond counts as one.
    pub const fn open_time(self, first: Duration, cap: Duration) -> Self {
        Self { open: a_millisecond_at_least(first), cap: a_millisecond_at_least(cap), ..self }
    }

    /// The most that a server's hint can keep it open for, beyond the open time; 60 s by default.
    pub const fn most_hint(self, most: Duration) -> Self {
        Self { most_hint: most, ..self }
    }

    /// How many calls probe at once, and how many successes of theirs close the circuit; 1 and 1 by default, which
    /// zero counts as.
    pub const fn probes(self, at_once: u32, successes: u32) -> Self {
        let at_once = if at_once == 0 { 1 } else { at_once };
        let successes = if successes == 0 { 1 } else { successes };
        Self { at_once, successes, ..self }
    }

    /// How long a probe may hold its place; one that is not heard of by then is forgotten. 30 s by default.
    ///
    /// It must be longer than an attempt may take, or a server that is slow never closes the circuit: see
    /// [`fit`](Self::fit).
    pub const fn lease(self, lease: Duration) -> Self {
        // A probe without any time could never be heard of.
        Self { lease: Some(a_millisecond_at_least(lease)), ..self }
    }

    /// How long a call must have waited, to lengthen the streak of failures if its caller gives it up without an
    /// answer, to the millisecond. By default it never does.
    pub const fn abandoned_after(self, patience: Duration) -> Self {
        Self { abandoned_after: Some(patience), ..self }
    }

    /// Whether a throttled call counts as a failure of the server; by default it says nothing about it.
    pub const fn count_throttled(self, counts: bool) -> Self {
        Self { count_throttled: counts, ..self }
    }

    /// Widened to fit the layers around: streaks are longer than one call with so many retries can fail, a call that
    /// `attempt` cuts is a slow one, and a probe's lease, unless it is longer, is a second more than `attempt`.
    pub fn fit(self, attempt: Duration, retries: u32) -> Self {
        let lease = attempt.saturating_add(LEASE_GRACE);
        let lease = self.lease.map_or(lease, |set| set.max(lease));
        self.trip(self.trip.outlast(retries).slow_within(attempt)).lease(lease)
    }

    /// How long a probe holds its place.
    pub(crate) fn probe_lease(&self) -> Duration {
        self.lease.unwrap_or(BARE_LEASE)
    }
}

impl Default for CircuitSettings {
    fn default() -> Self {
        Self::new(Trip::default())
    }
}

impl From<Trip> for CircuitSettings {
    fn from(trip: Trip) -> Self {
        Self::new(trip)
    }
}

const fn a_millisecond_at_least(time: Duration) -> Duration {
    if time.as_millis() == 0 { Duration::from_millis(1) } else { time }
}

/// What a probe is given beyond the limit of its attempt.
const LEASE_GRACE: Duration = Duration::from_secs(1);
/// The lease where nothing is known of an attempt.
const BARE_LEASE: Duration = Duration::from_secs(30);
