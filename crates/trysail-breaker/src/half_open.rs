use std::time::Duration;

use tokio::time::Instant;
use trysail_core::{Cause, Class};

use crate::{
    open_time::later,
    outcome::{Opening, Outcome},
    settings::CircuitSettings,
};

/// The probes of a half-open circuit.
#[derive(Debug)]
pub(crate) struct HalfOpen {
    probes: Vec<Probe>,
    last: Instant,
    successes: u32,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    id: u32,
    expires: Instant,
}

/// What follows from the end of a probe.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AfterProbe {
    /// Nothing yet.
    StayHalfOpen,
    Close,
    /// For longer than before, or for as long.
    Open {
        opening: Opening,
        longer: bool,
    },
}

impl HalfOpen {
    /// Nobody has probed yet.
    pub(crate) const fn begin(now: Instant) -> Self {
        Self { probes: Vec::new(), last: now, successes: 0 }
    }

    /// When a call last was let through.
    pub(crate) const fn last_probe(&self) -> Instant {
        self.last
    }

    /// Lets a call through as probe `id`, or says until when none is.
    pub(crate) fn admit(&mut self, id: u32, settings: &CircuitSettings, now: Instant) -> Result<(), Instant> {
        self.probes.retain(|probe| now < probe.expires);
        if let Some(until) = self.full_until(settings)
            && now < until
        {
            return Err(until);
        }
        self.probes.push(Probe { id, expires: later(now, settings.probe_lease()) });
        self.last = now;
        Ok(())
    }

    /// Takes the outcome of probe `id`, if it has not been forgotten.
    pub(crate) fn settle(&mut self, id: u32, outcome: Outcome, settings: &CircuitSettings, now: Instant) -> AfterProbe {
        let Some(index) = self.probes.iter().position(|probe| probe.id == id && now < probe.expires) else {
            return AfterProbe::StayHalfOpen;
        };
        match outcome {
            Outcome::Failure { class, hint } => {
                let opening = Opening { cause: Cause::Probe, class: Some(class), hint };
                AfterProbe::Open { opening, longer: true }
            }
            Outcome::Throttled { hint } => {
                let opening = Opening { cause: Cause::Probe, class: Some(Class::Throttled), hint };
                AfterProbe::Open { opening, longer: false }
            }
            Outcome::Success if self.successes + 1 >= settings.successes => AfterProbe::Close,
            Outcome::Success => {
                self.probes.swap_remove(index);
                self.successes += 1;
                AfterProbe::StayHalfOpen
            }
            Outcome::Neutral | Outcome::Abandoned => {
                self.probes.swap_remove(index);
                AfterProbe::StayHalfOpen
            }
        }
    }

    /// Until when no further probe is admitted; `None` if one is now.
    pub(crate) fn full_until(&self, settings: &CircuitSettings) -> Option<Instant> {
        let freed = self.probes.iter().map(|probe| probe.expires).min()?;
        // No more than are said to probe at once, or can still be needed.
        let most = settings.at_once.max(settings.successes);
        let wanted = settings.at_once.min(most.saturating_sub(self.successes)).max(1) as usize;
        if self.probes.len() < wanted {
            return None;
        }
        let silent = self.successes == 0 && self.probes.len() < MOST_PROBES.max(wanted);
        Some(if silent { freed.min(later(self.last, PROBE_EVERY)) } else { freed })
    }
}

/// While no probe has ended, one more is admitted this often…
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// …up to so many.
const MOST_PROBES: usize = 3;
