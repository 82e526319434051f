use std::time::Duration;

use trysail_core::{Held, Verdict};

use crate::time::{between, nanos};

/// Refuses calls that a server has no answer for but that the credential is no good or the account is empty.
#[derive(Debug, Default)]
pub(crate) struct Latch {
    /// Such verdicts since the last success; two of them close it.
    marks: u32,
    closed: Option<Latched>,
}

#[derive(Clone, Copy, Debug)]
struct Latched {
    verdict: Verdict,
    until: u64,
    /// How many probes have heard the same.
    times: u32,
    /// When the probe went that is out.
    probing: Option<u64>,
}

impl Latch {
    /// What the calls are told that it refuses.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        self.closed.map(|closed| closed.verdict)
    }

    /// Whether a success would change it.
    pub(crate) const fn minds_success(&self) -> bool {
        self.marks > 0
    }

    pub(crate) fn refusal(&self, now: u64) -> Option<Held> {
        let closed = self.closed?;
        let until = match closed.probing {
            Some(since) if now < since.saturating_add(nanos(LEASE)) => now.saturating_add(nanos(PROBING_RETRY)),
            _ => closed.until,
        };
        (until > now).then(|| Held::latched(closed.verdict, between(now, until)))
    }

    /// Lets the one call through that is not refused; says whether it is a probe.
    pub(crate) fn passes(&mut self, now: u64) -> bool {
        let Some(closed) = &mut self.closed else { return false };
        closed.probing = Some(now);
        true
    }

    /// The server has given `verdict`; says whether that closes it, or keeps it closed for longer.
    pub(crate) fn strikes(&mut self, verdict: Verdict, is_probe: bool, now: u64) -> bool {
        self.marks = self.marks.saturating_add(1);
        let times = match &self.closed {
            None if self.marks >= 2 => 0,
            Some(closed) if is_probe => closed.times.saturating_add(1),
            _ => return false,
        };
        let time = FIRST.saturating_mul(1 << times.min(8)).min(MOST);
        self.closed = Some(Latched { verdict, until: now.saturating_add(nanos(time)), times, probing: None });
        true
    }

    /// A probe has heard neither yes nor no.
    pub(crate) fn frees(&mut self) {
        if let Some(closed) = &mut self.closed {
            closed.probing = None;
        }
    }

    /// Says whether it was closed.
    pub(crate) fn opens(&mut self) -> bool {
        std::mem::take(self).closed.is_some()
    }
}

const FIRST: Duration = Duration::from_secs(30);
const MOST: Duration = Duration::from_secs(600);
/// After how long a probe is given up that has not ended.
const LEASE: Duration = Duration::from_secs(60);
const PROBING_RETRY: Duration = Duration::from_secs(1);
