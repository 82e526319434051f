//! The machine, without a clock and without a lock: time is an argument, and randomness has a seed.
//!
//! | state | event | then |
//! |---|---|---|
//! | closed | a streak, or a rate of failures or slow calls, trips | open for the open time, or the failure's hint if longer |
//! | open | a call after the open time | half-open, and the call is a probe |
//! | half-open | enough probes succeed | closed |
//! | half-open | a probe fails | open, for longer |
//! | half-open | a probe is throttled | open, for as long as before or as its hint says |
//! | half-open | a probe says nothing, or is dropped | its slot is free |
//! | half-open | a probe is not heard of | one more is admitted every 5 s, up to 3; each is forgotten at its lease |
//!
//! Every change of state begins a generation; what was admitted in an earlier one no longer counts.

use std::time::Duration;

use tokio::time::Instant;
use trysail_core::{Cause, Class, Health, Open, Random, Verdict};

use crate::{settings::CircuitSettings, window::Tally};

/// What a circuit does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls pass and are counted.
    Closed,
    /// Calls are refused for a time.
    Open,
    /// A few calls pass to find out how the server is; the others are refused.
    HalfOpen,
    /// Calls are refused until somebody says otherwise.
    ForcedOpen,
    /// Calls pass and are not counted.
    Disabled,
}

#[derive(Debug)]
pub(crate) struct Machine {
    settings: CircuitSettings,
    pub(crate) random: Random,
    phase: Phase,
    generation: u32,
    /// How often the open time has doubled.
    growth: u32,
    since: Instant,
    opened: Opened,
    next_probe: u32,
}

#[derive(Debug)]
enum Phase {
    /// `watch` says that a success may open the circuit: too few calls were judged for a rate that has failures.
    Closed {
        streak: Option<Run>,
        watch: bool,
    },
    Open {
        until: Instant,
    },
    HalfOpen(Probes),
    ForcedOpen,
    Disabled,
}

#[derive(Debug)]
struct Probes {
    out: Vec<Probe>,
    last: Instant,
    successes: u32,
}

/// Failures in a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    failures: u32,
    since: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    id: u32,
    expires: Instant,
}

/// Why and how often the circuit opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    pub(crate) times: u64,
    pub(crate) cause: Cause,
    pub(crate) class: Option<Class>,
}

/// What admits a call, and finds its result a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) generation: u32,
    /// 0 unless the call is a probe.
    pub(crate) probe: u32,
}

/// What an admitted call says about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure {
        class: Class,
        hint: Option<Duration>,
    },
    Throttled {
        hint: Option<Duration>,
    },
    Neutral,
    /// No answer, since the caller would not wait; but for long enough to wonder.
    Abandoned,
}

impl Outcome {
    pub(crate) fn of(verdict: Verdict) -> Self {
        let hint = verdict.retry_after();
        match (verdict.health(), verdict.class()) {
            (Health::Success, _) => Self::Success,
            (Health::Failure, class) => Self::Failure { class, hint },
            (Health::Neutral, Class::Throttled) => Self::Throttled { hint },
            (Health::Neutral, _) => Self::Neutral,
        }
    }
}

impl Machine {
    pub(crate) fn new(settings: CircuitSettings, random: Random, now: Instant) -> Self {
        Self {
            settings,
            random,
            phase: CLOSED,
            generation: 0,
            growth: 0,
            since: now,
            opened: Opened { times: 0, cause: Cause::Forced, class: None },
            next_probe: 1,
        }
    }

    pub(crate) fn settings(&self) -> CircuitSettings {
        self.settings
    }

    /// Replaces the settings; says whether the trip is another, so that what was counted for the old one is void.
    pub(crate) fn set(&mut self, settings: CircuitSettings) -> bool {
        let renewed = self.settings.trip != settings.trip;
        self.settings = settings;
        // Only a closed circuit counts for it. Others go on: their probes are judged by their outcomes alone.
        if renewed && let Phase::Closed { .. } = self.phase {
            self.phase = CLOSED;
            self.generation = self.generation.wrapping_add(1);
        }
        renewed
    }

    pub(crate) fn state(&self, now: Instant) -> State {
        match &self.phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open { until } if now < *until => State::Open,
            Phase::Open { .. } | Phase::HalfOpen(_) => State::HalfOpen,
            Phase::ForcedOpen => State::ForcedOpen,
            Phase::Disabled => State::Disabled,
        }
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether the next success changes anything.
    pub(crate) fn minds_success(&self) -> bool {
        matches!(self.phase, Phase::Closed { streak: Some(_), .. } | Phase::Closed { watch: true, .. })
    }

    /// Whether it is closed, or its open time has passed so long ago that what it knows is out of date.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        match &self.phase {
            Phase::Closed { .. } => true,
            Phase::Open { until } => now.saturating_duration_since(*until) > OUT_OF_DATE,
            Phase::HalfOpen(probes) => now.saturating_duration_since(probes.last) > OUT_OF_DATE,
            Phase::ForcedOpen | Phase::Disabled => false,
        }
    }

    pub(crate) fn streak(&self) -> u32 {
        match self.phase {
            Phase::Closed { streak: Some(run), .. } => run.failures,
            _ => 0,
        }
    }

    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    pub(crate) fn opened(&self) -> Opened {
        self.opened
    }

    /// Until when no call can be admitted; `None` if one might be now, or by hand only.
    pub(crate) fn shut_until(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Open { until } => Some(*until),
            Phase::HalfOpen(probes) => probes.full_until(&self.settings),
            Phase::Closed { .. } | Phase::ForcedOpen | Phase::Disabled => None,
        }
    }

    /// Lets a call pass, or says why not.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<Pass, Open> {
        match &mut self.phase {
            Phase::Closed { .. } | Phase::Disabled => return Ok(Pass { generation: self.generation, probe: 0 }),
            Phase::ForcedOpen => return Err(self.refusal(FORCED_RETRY)),
            Phase::Open { until } if now < *until => {
                let rest = *until - now;
                return Err(self.refusal(rest));
            }
            Phase::Open { .. } => {
                self.enter(Phase::HalfOpen(Probes { out: Vec::new(), last: now, successes: 0 }), now);
            }
            Phase::HalfOpen(probes) => probes.out.retain(|probe| now < probe.expires),
        }
        if let Some(until) = self.shut_until()
            && now < until
        {
            return Err(self.refusal((until - now).min(PROBING_RETRY)));
        }
        let Phase::HalfOpen(probes) = &mut self.phase else { unreachable!("just made half-open") };
        let probe = Probe { id: self.next_probe, expires: later(now, self.settings.probe_lease()) };
        probes.out.push(probe);
        probes.last = now;
        self.next_probe = self.next_probe.checked_add(1).unwrap_or(1);
        Ok(Pass { generation: self.generation, probe: probe.id })
    }

    /// Takes the result of an admitted call. `tallies` are the windows of failures and of slow calls with that result
    /// in them.
    pub(crate) fn settle(&mut self, pass: Pass, outcome: Outcome, now: Instant, tallies: impl Fn() -> (Tally, Tally)) {
        if pass.generation != self.generation {
            return;
        }
        match &mut self.phase {
            Phase::Closed { streak, watch } => {
                let (run, class, hint) = match outcome {
                    Outcome::Success => (None, None, None),
                    Outcome::Throttled { .. } | Outcome::Neutral => (*streak, None, None),
                    Outcome::Failure { class, hint } => (Some(Run::longer(*streak, now)), Some(class), hint),
                    Outcome::Abandoned => (Some(Run::longer(*streak, now)), None, None),
                };
                *streak = run;
                let longer = matches!(outcome, Outcome::Failure { .. } | Outcome::Abandoned);
                let too_many = || run.and_then(|run| self.settings.trip.on_streak(run.failures, now - run.since));
                let by_streak = if longer { too_many() } else { None };
                let by_rate = || {
                    let (failures, slow) = tallies();
                    *watch = self.settings.trip.waits_for_more(&failures, &slow);
                    self.settings.trip.on_rates(&failures, &slow)
                };
                if let Some(cause) = by_streak.or_else(by_rate) {
                    self.growth = self.decayed(now);
                    self.open(cause, class, hint, now);
                }
            }
            Phase::HalfOpen(probes) => {
                let Some(index) = probes.out.iter().position(|probe| probe.id == pass.probe && now < probe.expires)
                else {
                    return;
                };
                match outcome {
                    Outcome::Success => {
                        probes.out.swap_remove(index);
                        probes.successes += 1;
                        if probes.successes >= self.settings.successes {
                            self.enter(CLOSED, now);
                        }
                    }
                    Outcome::Failure { class, hint } => {
                        // What has no effect need not be forgotten later.
                        if self.whole() < self.settings.cap {
                            self.growth = self.growth.saturating_add(1);
                        }
                        self.open(Cause::Probe, Some(class), hint, now);
                    }
                    Outcome::Throttled { hint } => {
                        self.open(Cause::Probe, Some(Class::Throttled), hint, now);
                    }
                    Outcome::Neutral | Outcome::Abandoned => {
                        probes.out.swap_remove(index);
                    }
                }
            }
            Phase::Open { .. } | Phase::ForcedOpen | Phase::Disabled => {}
        }
    }

    pub(crate) fn force_open(&mut self, now: Instant) {
        self.opened = Opened { times: self.opened.times + 1, cause: Cause::Forced, class: None };
        self.enter(Phase::ForcedOpen, now);
    }

    pub(crate) fn force_closed(&mut self, now: Instant) {
        self.enter(CLOSED, now);
    }

    pub(crate) fn disable(&mut self, now: Instant) {
        self.enter(Phase::Disabled, now);
    }

    /// Closes the circuit and forgets everything but how often it opened.
    pub(crate) fn reset(&mut self, now: Instant) {
        self.growth = 0;
        self.enter(CLOSED, now);
    }

    /// The refusal of a call that may come back after `rest`.
    pub(crate) fn refusal(&self, rest: Duration) -> Open {
        Open::new(rest, self.opened.cause, self.opened.class)
    }

    fn open(&mut self, cause: Cause, class: Option<Class>, hint: Option<Duration>, now: Instant) {
        let whole = self.whole();
        let spread = self.random.draw() as f64 / u64::MAX as f64;
        let time = (whole / 2 + (whole / 2).mul_f64(spread)).max(hint.unwrap_or_default().min(self.settings.most_hint));
        self.opened = Opened { times: self.opened.times + 1, cause, class };
        self.enter(Phase::Open { until: later(now, time) }, now);
    }

    /// The longest that the circuit would be open for now.
    fn whole(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.growth).unwrap_or(u32::MAX);
        self.settings.open.saturating_mul(factor).min(self.settings.cap)
    }

    /// The growth that is left of the last trouble: a doubling is forgotten for every longest open time since.
    fn decayed(&self, now: Instant) -> u32 {
        let healthy = now.saturating_duration_since(self.since).as_nanos();
        let steps = healthy.checked_div(self.settings.cap.as_nanos()).unwrap_or(u128::MAX);
        self.growth.saturating_sub(steps.try_into().unwrap_or(u32::MAX))
    }

    fn enter(&mut self, phase: Phase, now: Instant) {
        self.phase = phase;
        self.generation = self.generation.wrapping_add(1);
        self.since = now;
    }
}

impl Probes {
    /// Until when no further probe is admitted; `None` if one is now.
    fn full_until(&self, settings: &CircuitSettings) -> Option<Instant> {
        let freed = self.out.iter().map(|probe| probe.expires).min()?;
        // No more than are said to probe at once, or can still be needed.
        let most = settings.at_once.max(settings.successes);
        let wanted = settings.at_once.min(most.saturating_sub(self.successes)).max(1) as usize;
        if self.out.len() < wanted {
            return None;
        }
        let silent = self.successes == 0 && self.out.len() < MOST_PROBES.max(wanted);
        Some(if silent { freed.min(later(self.last, PROBE_EVERY)) } else { freed })
    }
}

impl Run {
    fn longer(run: Option<Self>, now: Instant) -> Self {
        let run = run.unwrap_or(Self { failures: 0, since: now });
        Self { failures: run.failures.saturating_add(1), ..run }
    }
}

/// `now + time`, or decades later where that is beyond the clock.
fn later(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or_else(|| now + DECADES)
}

const DECADES: Duration = Duration::from_secs(30 * 365 * 86_400);
const CLOSED: Phase = Phase::Closed { streak: None, watch: false };
/// After so long without a call, an open circuit has nothing to say about its server.
const OUT_OF_DATE: Duration = Duration::from_secs(600);
/// How soon a caller may ask again who found all probes taken.
pub(crate) const PROBING_RETRY: Duration = Duration::from_secs(1);
/// How soon a caller may ask again who met a circuit opened by hand.
pub(crate) const FORCED_RETRY: Duration = Duration::from_secs(5);
/// While no probe has ended, one more is admitted this often…
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// …up to so many.
const MOST_PROBES: usize = 3;
