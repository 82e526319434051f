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
use trysail_core::{Cause, Class, Open, Random};

use crate::{
    State,
    closed::Closed,
    half_open::{AfterProbe, HalfOpen},
    open_time::{OpenTime, later},
    outcome::{Opening, Outcome},
    permit::Permit,
    settings::CircuitSettings,
    window::Counts,
};

#[derive(Debug)]
pub(crate) struct StateMachine {
    settings: CircuitSettings,
    pub(crate) random: Random,
    data: StateData,
    generation: u32,
    open_time: OpenTime,
    since: Instant,
    opened: LastOpening,
    next_probe: u32,
}

#[derive(Debug)]
enum StateData {
    Closed(Closed),
    Open { until: Instant },
    HalfOpen(HalfOpen),
    ForcedOpen,
    Disabled,
}

/// Why and how often the circuit opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastOpening {
    pub(crate) times: u64,
    pub(crate) cause: Cause,
    pub(crate) class: Option<Class>,
}

impl StateMachine {
    pub(crate) fn new(settings: CircuitSettings, random: Random, now: Instant) -> Self {
        Self {
            settings,
            random,
            data: CLOSED,
            generation: 0,
            open_time: OpenTime::default(),
            since: now,
            opened: LastOpening { times: 0, cause: Cause::Forced, class: None },
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
        if renewed && let StateData::Closed(_) = self.data {
            self.data = CLOSED;
            self.generation = self.generation.wrapping_add(1);
        }
        renewed
    }

    pub(crate) fn state(&self, now: Instant) -> State {
        match &self.data {
            StateData::Closed(_) => State::Closed,
            StateData::Open { until } if now < *until => State::Open,
            StateData::Open { .. } | StateData::HalfOpen(_) => State::HalfOpen,
            StateData::ForcedOpen => State::ForcedOpen,
            StateData::Disabled => State::Disabled,
        }
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether the next success changes anything.
    pub(crate) fn minds_success(&self) -> bool {
        matches!(&self.data, StateData::Closed(closed) if closed.minds_success())
    }

    /// From when on a success changes something, if it changes nothing before.
    pub(crate) fn look_at(&self) -> Option<Instant> {
        match &self.data {
            StateData::Closed(closed) => closed.look_at(),
            _ => None,
        }
    }

    /// Whether it is closed, or its open time has passed so long ago that what it knows is out of date.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        match &self.data {
            StateData::Closed(_) => true,
            StateData::Open { until } => now.saturating_duration_since(*until) > OUT_OF_DATE,
            StateData::HalfOpen(half_open) => now.saturating_duration_since(half_open.last_probe()) > OUT_OF_DATE,
            StateData::ForcedOpen | StateData::Disabled => false,
        }
    }

    pub(crate) fn streak(&self) -> u32 {
        match &self.data {
            StateData::Closed(closed) => closed.failures_in_a_row(),
            _ => 0,
        }
    }

    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    pub(crate) fn opened(&self) -> LastOpening {
        self.opened
    }

    /// Until when no call can be admitted; `None` if one might be now, or by hand only.
    pub(crate) fn shut_until(&self) -> Option<Instant> {
        match &self.data {
            StateData::Open { until } => Some(*until),
            StateData::HalfOpen(half_open) => half_open.full_until(&self.settings),
            StateData::Closed(_) | StateData::ForcedOpen | StateData::Disabled => None,
        }
    }

    /// Lets a call pass, or says why not.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<Permit, Open> {
        match &mut self.data {
            StateData::Closed(_) | StateData::Disabled => return Ok(Permit::new(self.generation, 0)),
            StateData::ForcedOpen => return Err(self.refusal(FORCED_RETRY)),
            StateData::Open { until } if now < *until => {
                let rest = *until - now;
                return Err(self.refusal(rest));
            }
            StateData::Open { .. } => self.enter(StateData::HalfOpen(HalfOpen::begin(now)), now),
            StateData::HalfOpen(_) => {}
        }
        let StateData::HalfOpen(half_open) = &mut self.data else { unreachable!("just made half-open") };
        let probe = self.next_probe;
        if let Err(until) = half_open.admit(probe, &self.settings, now) {
            return Err(self.refusal((until - now).min(PROBING_RETRY)));
        }
        self.next_probe = probe.checked_add(1).unwrap_or(1);
        Ok(Permit::new(self.generation, probe))
    }

    /// Takes the result of an admitted call. `counts` are the windows of failures and of slow calls with that result
    /// in them.
    pub(crate) fn settle(
        &mut self,
        permit: Permit,
        outcome: Outcome,
        now: Instant,
        counts: impl Fn() -> (Counts, Counts),
    ) {
        if permit.generation() != self.generation {
            return;
        }
        match &mut self.data {
            StateData::Closed(closed) => {
                if let Some(opening) = closed.settle(outcome, &self.settings.trip, now, counts) {
                    self.open_time.decay(&self.settings, now.saturating_duration_since(self.since));
                    self.open(opening, now);
                }
            }
            StateData::HalfOpen(half_open) => match half_open.settle(permit.probe(), outcome, &self.settings, now) {
                AfterProbe::StayHalfOpen => {}
                AfterProbe::Close => self.enter(CLOSED, now),
                AfterProbe::Open { opening, longer } => {
                    if longer {
                        self.open_time.double(&self.settings);
                    }
                    self.open(opening, now);
                }
            },
            StateData::Open { .. } | StateData::ForcedOpen | StateData::Disabled => {}
        }
    }

    pub(crate) fn force_open(&mut self, now: Instant) {
        self.opened = LastOpening { times: self.opened.times + 1, cause: Cause::Forced, class: None };
        self.enter(StateData::ForcedOpen, now);
    }

    pub(crate) fn force_closed(&mut self, now: Instant) {
        self.enter(CLOSED, now);
    }

    pub(crate) fn disable(&mut self, now: Instant) {
        self.enter(StateData::Disabled, now);
    }

    /// Closes the circuit and forgets everything but how often it opened.
    pub(crate) fn reset(&mut self, now: Instant) {
        self.open_time = OpenTime::default();
        self.enter(CLOSED, now);
    }

    /// The refusal of a call that may come back after `rest`.
    pub(crate) fn refusal(&self, rest: Duration) -> Open {
        Open::new(rest, self.opened.cause, self.opened.class)
    }

    fn open(&mut self, opening: Opening, now: Instant) {
        let time = self.open_time.draw(&self.settings, opening.hint, &self.random);
        self.opened = LastOpening { times: self.opened.times + 1, cause: opening.cause, class: opening.class };
        self.enter(StateData::Open { until: later(now, time) }, now);
    }

    fn enter(&mut self, data: StateData, now: Instant) {
        self.data = data;
        self.generation = self.generation.wrapping_add(1);
        self.since = now;
    }
}

const CLOSED: StateData = StateData::Closed(Closed::NEW);
/// After so long without a call, an open circuit has nothing to say about its server.
const OUT_OF_DATE: Duration = Duration::from_secs(600);
/// How soon a caller may ask again who found all probes taken.
pub(crate) const PROBING_RETRY: Duration = Duration::from_secs(1);
/// How soon a caller may ask again who met a circuit opened by hand.
pub(crate) const FORCED_RETRY: Duration = Duration::from_secs(5);
