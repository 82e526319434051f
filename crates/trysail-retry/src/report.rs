use std::time::Duration;

use tokio::time::Instant;
use trysail_core::{Class, Verdict};

/// What a retry did during one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryReport {
    attempts: u32,
    refusals: u32,
    hints: u32,
    failures: [u32; Class::ALL.len()],
    slept: Duration,
    last: Option<Verdict>,
    waiting: Option<Waiting>,
    stop: Option<Stop>,
}

/// What a call waits for between two attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    verdict: Verdict,
    what: WaitFor,
    until: Instant,
}

/// What a pause between two attempts is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitFor {
    /// The server is given time, as long as this side thinks right.
    Backoff,
    /// The server has said when to come back.
    Hint,
    /// The server loads its model.
    WarmUp,
    /// A circuit below is open.
    Circuit,
    /// The budget cannot pay for a retry yet.
    Budget,
}

/// Why a failed call was not repeated once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The verdict said that it would fail again.
    Verdict,
    /// All retries were used up.
    Attempts,
    /// The request must not be sent twice, or could not be copied.
    NotReplayable,
    /// The server asked for a longer wait than the caller has patience for.
    Patience,
    /// The next attempt would not have fitted into the time left.
    Deadline,
    /// The budget could not pay for another attempt.
    Budget,
    /// A layer below refused the attempt: a circuit is open, the request's own time was up, or it could not get ready.
    Refused,
}

impl RetryReport {
    pub(crate) const NONE: Self = Self {
        attempts: 0,
        refusals: 0,
        hints: 0,
        failures: [0; Class::ALL.len()],
        slept: Duration::ZERO,
        last: None,
        waiting: None,
        stop: None,
    };

    pub(crate) const FIRST: Self = Self { attempts: 1, ..Self::NONE };

    /// How often the service below was called, those included that it refused.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How many attempts were refused without being sent.
    pub const fn refusals(&self) -> u32 {
        self.refusals
    }

    /// How many waits were at least as long as the server had asked for.
    pub const fn hints(&self) -> u32 {
        self.hints
    }

    /// How many attempts failed with `class`.
    pub const fn failures(&self, class: Class) -> u32 {
        self.failures[class.index()]
    }

    /// How long the call slept between attempts; a wait that is not over counts whole.
    pub const fn slept(&self) -> Duration {
        self.slept
    }

    /// The verdict on the last attempt that failed.
    pub const fn last(&self) -> Option<Verdict> {
        self.last
    }

    /// What the call is waiting for at the moment.
    pub const fn waiting(&self) -> Option<Waiting> {
        self.waiting
    }

    /// Why the call was given up; `None` if it succeeded, or was ended from outside.
    pub const fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// An attempt begins; gives its number among those that were sent.
    pub(crate) fn began(&mut self) -> u32 {
        self.attempts += 1;
        self.waiting = None;
        self.attempts - self.refusals
    }

    pub(crate) fn failed(&mut self, verdict: Verdict) {
        self.last = Some(verdict);
        self.refusals += u32::from(verdict.class() == Class::Refused);
        self.failures[verdict.class().index()] += 1;
    }

    pub(crate) fn sleeps(&mut self, verdict: Verdict, what: WaitFor, delay: Duration, until: Instant) {
        self.hints += u32::from(what != WaitFor::Budget && verdict.retry_after().is_some());
        self.slept = self.slept.saturating_add(delay);
        self.waiting = Some(Waiting { verdict, what, until });
    }

    pub(crate) fn stopped(&mut self, stop: Stop) {
        self.stop = Some(stop);
    }
}

impl Default for RetryReport {
    fn default() -> Self {
        Self::NONE
    }
}

impl Waiting {
    /// The verdict on the attempt before.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What the pause is good for.
    pub const fn what(&self) -> WaitFor {
        self.what
    }

    /// When the next attempt is due.
    pub const fn until(&self) -> Instant {
        self.until
    }
}

impl WaitFor {
    /// The reason in snake case, as logs and metrics spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backoff => "backoff",
            Self::Hint => "hint",
            Self::WarmUp => "warm_up",
            Self::Circuit => "circuit",
            Self::Budget => "budget",
        }
    }
}

impl Stop {
    /// The reason in snake case, as logs and metrics spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Attempts => "attempts",
            Self::NotReplayable => "not_replayable",
            Self::Patience => "patience",
            Self::Deadline => "deadline",
            Self::Budget => "budget",
            Self::Refused => "refused",
        }
    }
}
