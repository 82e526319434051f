use std::time::Duration;

use trysail_core::{Held, Hold};

/// What has become of calls that did not pass at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) waited: u64,
    /// For how long, all together.
    pub(crate) waited_for: Duration,
    /// For how long nothing was to be sent, that included which is still to come.
    pub(crate) paused_for: Duration,
    pub(crate) refused: [u64; Hold::ALL.len()],
}

impl Tally {
    pub(crate) const fn refuses(&mut self, held: Held) -> Held {
        self.refused[held.hold().index()] += 1;
        held
    }

    /// A call that had to wait waits no longer.
    pub(crate) const fn waits(&mut self, time: Duration) {
        self.waited_for = self.waited_for.saturating_add(time);
    }

    /// Nothing is to be sent for so much longer.
    pub(crate) const fn pauses(&mut self, time: Duration) {
        self.paused_for = self.paused_for.saturating_add(time);
    }

    /// A pause is over before its time.
    pub(crate) const fn resumes(&mut self, rest: Duration) {
        self.paused_for = self.paused_for.saturating_sub(rest);
    }
}
