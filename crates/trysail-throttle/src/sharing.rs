use std::time::Duration;

use crate::{rate::Rate, time::nanos};

/// Whom a pace counts its calls with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Store {
    /// With nobody: it belongs to this process.
    #[default]
    Own,
    /// With all replicas that keep it, through a store.
    Shared,
    /// With nobody for now, since the store cannot be reached: calls go at the share that this replica had last.
    Alone,
}

/// What a machine knows of the replicas that keep the same pace.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    pub(crate) store: Store,
    /// How many there were when the store last said so, this one among them; 0 if it never did.
    pub(crate) known: u32,
    /// Nobody asks the store: the next call must see to that.
    pub(crate) is_unattended: bool,
    /// Who asks it, counted from the first one on, and when that was last at work.
    pub(crate) attendant: u64,
    pub(crate) attended_at: u64,
    /// Whoever asks the store sleeps until a call waits.
    pub(crate) sleeps: bool,
    /// Until when calls pause, as far as the store knows.
    pub(crate) paused_until: u64,
    rung_for: u64,
}

impl Sharing {
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self.store, Store::Shared)
    }

    /// How many replicas there are, as far as is known.
    pub(crate) fn replicas(&self) -> u32 {
        self.known.max(1)
    }

    /// What is left for this process of a limit for all of them, where it counts for itself.
    pub(crate) fn limit(&self, whole: Option<Rate>) -> Option<Rate> {
        match self.store {
            Store::Own | Store::Shared => whole,
            Store::Alone => whole.map(|rate| rate.part(self.replicas())),
        }
    }

    /// The limit for all of them, by what this process was found to be allowed.
    pub(crate) fn found(&self, here: Option<Rate>) -> Option<Rate> {
        match self.store {
            Store::Own | Store::Alone => here,
            Store::Shared => here.map(|rate| rate.times(self.replicas())),
        }
    }

    /// Whether nobody asks the store, or whoever does has not come to it for long while calls wait: its runtime may stand still.
    pub(crate) fn is_left(&self, is_anyone_waiting: bool, now: u64) -> bool {
        let is_late = self.store != Store::Own && now > self.attended_at.saturating_add(nanos(LEFT));
        self.is_unattended || is_late && is_anyone_waiting
    }

    /// Somebody else asks it from now on.
    pub(crate) fn hand_over(&mut self, now: u64) {
        self.is_unattended = false;
        self.attendant += 1;
        self.attended_at = now;
    }

    /// Whether whoever asks the store has to be woken, for calls that wait or a pause it does not know; said once.
    pub(crate) fn rings(&mut self, is_anyone_waiting: bool, paused_until: u64, now: u64) -> bool {
        let is_news = paused_until != self.paused_until && paused_until.max(self.paused_until) > now;
        let rings = self.sleeps && (is_anyone_waiting || is_news) || is_news && self.rung_for != paused_until;
        self.rung_for = paused_until;
        self.sleeps &= !rings;
        rings
    }
}

/// How long nobody may have come to ask the store.
const LEFT: Duration = Duration::from_secs(1);
