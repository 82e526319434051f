use std::time::Duration;

use tokio::time::Instant;
use trysail_core::{Cause, Class};

use crate::{State, machine::StateMachine, window::Counts};

/// How a circuit was at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    state: State,
    since: Instant,
    streak: u32,
    failures: Counts,
    slow: Counts,
    opened: u64,
    cause: Cause,
    class: Option<Class>,
    next_probe: Option<Duration>,
}

impl Snapshot {
    pub(crate) fn of(machine: &StateMachine, failures: Counts, slow: Counts, now: Instant) -> Self {
        let opened = machine.opened();
        Self {
            state: machine.state(now),
            since: machine.since(),
            streak: machine.streak(),
            failures,
            slow,
            opened: opened.times,
            cause: opened.cause,
            class: opened.class,
            next_probe: machine.shut_until().map(|until| until.saturating_duration_since(now)),
        }
    }

    /// What the circuit did with calls.
    pub const fn state(&self) -> State {
        self.state
    }

    /// When that began; an open circuit is half-open without further notice once its time is over.
    pub const fn since(&self) -> Instant {
        self.since
    }

    /// How many failures there were in a row.
    pub const fn streak(&self) -> u32 {
        self.streak
    }

    /// How many calls the window of a rate held, where nobody counted at that moment (up to seven successes fewer after a
    /// pause of a busy circuit, see [`Trip`](crate::Trip)). The snapshot of a
    /// [change](crate::Changes::next) has the window that led to it, one of now that of the state that is.
    pub const fn calls(&self) -> u32 {
        if self.failures.calls > 0 { self.failures.calls } else { self.slow.calls }
    }

    /// How many of these had failed, if failures have a rate.
    pub const fn failures(&self) -> u32 {
        self.failures.hits
    }

    /// How many of these were slow, if slow calls have a rate.
    pub const fn slow(&self) -> u32 {
        self.slow.hits
    }

    /// The share of failures among them.
    pub fn failure_rate(&self) -> Option<f64> {
        (self.failures.calls > 0).then(|| f64::from(self.failures.hits) / f64::from(self.failures.calls))
    }

    /// How often the circuit has opened since it was made.
    pub const fn opened(&self) -> u64 {
        self.opened
    }

    /// Why it opened last; `None` if it never did.
    pub fn cause(&self) -> Option<Cause> {
        (self.opened > 0).then_some(self.cause)
    }

    /// The class of the failure that opened it last.
    pub const fn class(&self) -> Option<Class> {
        self.class
    }

    /// How long until a call can probe, if the circuit is open or has all its probes out.
    pub const fn next_probe(&self) -> Option<Duration> {
        self.next_probe
    }
}
