use trysail_core::{Allowance, Held, Hold};

use crate::{
    decision::{Arrival, Look, News},
    fare::{Fare, Places},
    found_rate::FoundRate,
    heard::Heard,
    latch::Latch,
    learnt::Learnt,
    queue::{Others, Queue, Want},
    rates::Rates,
    room::Room,
    settings::PaceSettings,
    sharing::Sharing,
    slow_start::SlowStart,
    tally::Tally,
    time::between,
};

/// What decides, beside the rates, when a call may be sent. All times are nanoseconds of the pace's clock.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) settings: PaceSettings,
    pub(crate) queue: Queue,
    pub(crate) latch: Latch,
    pub(crate) room: Room,
    pub(crate) found: FoundRate,
    pub(crate) learnt: Learnt,
    pub(crate) paused_until: u64,
    /// How often calls were slowed down: what was sent before tells nothing new.
    pub(crate) epoch: u32,
    pub(crate) tally: Tally,
    pub(crate) sharing: Sharing,
    /// What holds the first of those who wait, and until when, as far as is known.
    pub(crate) first: Option<(Hold, u64)>,
}

impl Machine {
    pub(crate) fn new(settings: PaceSettings) -> Self {
        Self {
            settings,
            queue: Queue::default(),
            latch: Latch::default(),
            room: Room { start: first_calls(settings, 0), ..Room::default() },
            found: FoundRate::default(),
            learnt: Learnt::default(),
            paused_until: 0,
            epoch: 0,
            tally: Tally::default(),
            sharing: Sharing::default(),
            first: None,
        }
    }

    /// Whether a call has to ask here before it is sent.
    pub(crate) fn is_gated(&self, now: u64) -> bool {
        !self.queue.is_empty()
            || self.room.is_bounded() && !self.begins()
            || self.latch.verdict().is_some()
            || self.paused_until > now
    }

    /// Whether its first calls are few, so that it need not be asked while these are few anyway.
    pub(crate) fn begins(&self) -> bool {
        self.room.is_bounded() && !self.room.start.remembers() && !self.room.in_flight.is_on()
    }

    /// Whether another would do as well.
    pub(crate) fn is_like_new(&self, now: u64) -> bool {
        self.queue.is_empty()
            && !(self.minds_success() || self.room.remembers())
            && self.latch.verdict().is_none()
            && self.paused_until <= now
    }

    /// Whether an answer has to be told of that is a success.
    pub(crate) const fn minds_success(&self) -> bool {
        self.latch.minds_success() || self.found.is_watching()
    }

    /// A call comes.
    pub(crate) fn enter(&mut self, rates: &Rates, want: Want, now: u64) -> Arrival {
        if let Some(held) = self.latch.refusal(now) {
            return Arrival::Refused(self.tally.refuses(held));
        }
        if self.latch.passes(now) {
            rates.charge(want.cost, now);
            return Arrival::Passes(rates.fare(want.cost, self.epoch, now).and(Places::PROBE, true));
        }
        self.grant(rates, now);
        let mut hold = Hold::Rate;
        if self.queue.is_empty() {
            match self.pass(rates, want, now) {
                Ok(fare) => return Arrival::Passes(fare),
                Err((why, _)) => hold = why,
            }
        }
        let turn = self.turn(rates, self.queue.all(), want, now);
        if self.queue.len() >= self.settings.queue {
            return Arrival::Refused(self.tally.refuses(Held::new(Hold::Queue, between(now, turn))));
        }
        if turn > want.until {
            let hold = if self.paused_until > now { Hold::Pause } else { hold };
            return Arrival::Refused(self.tally.refuses(Held::new(hold, between(now, turn))));
        }
        self.tally.waited += 1;
        Arrival::Waits(self.queue.push(want))
    }

    /// A call that waits asks whether it may go.
    pub(crate) fn look(&mut self, rates: &Rates, id: u64, now: u64) -> Look {
        self.grant(rates, now);
        if let Some(decision) = self.queue.decided(id) {
            return Look::Decided(decision);
        }
        let Some((place, want, others)) = self.queue.find(id) else {
            return Look::Decided(Err(Held::new(Hold::Queue, between(now, now))));
        };
        let turn = self.turn(rates, others, want, now);
        if want.until <= now {
            let held = self.late(turn, now);
            self.queue.decide(place, Err(held));
            return self.look(rates, id, now);
        }
        Look::Waits(turn.max(now.saturating_add(SOON)).min(want.until))
    }

    /// A call waits no longer.
    pub(crate) fn leaves(&mut self, rates: &Rates, id: u64, now: u64) {
        if let Some(fare) = self.queue.leaves(id) {
            self.settle(rates, fare, Heard::Unsent, 0, now);
        }
    }

    /// A call has ended.
    pub(crate) fn settle(&mut self, rates: &Rates, fare: Fare, outcome: Heard, cost: u64, now: u64) -> Option<News> {
        if outcome == Heard::Unsent {
            rates.give_back(fare);
            self.queue.sooner();
        }
        if self.room.leave(fare, self.epoch, outcome, now) {
            rates.empty(now);
        }
        if outcome.is_answered() && fare.epoch == self.epoch {
            self.found.answered(cost);
        }
        let (paused_until, latched) = (self.paused_until, self.latch.verdict());
        let event = match outcome {
            Heard::Success => self.latch.opens().then_some(News::Unlatched),
            Heard::Throttled(hint) => self.slow_down(rates, fare, hint, now),
            Heard::Shut(verdict) => {
                self.latch.strikes(verdict, fare.places.hold(Places::PROBE), now).then_some(News::Latched)
            }
            Heard::Answered | Heard::Failed | Heard::Silence | Heard::Abandoned | Heard::Unsent => None,
        };
        if fare.places.hold(Places::PROBE) {
            self.latch.frees();
        }
        self.follow(rates, now);
        let is_latched_anew = self.latch.verdict() != latched;
        if is_latched_anew {
            self.recall(rates, now);
        }
        if self.paused_until > paused_until || is_latched_anew {
            self.sweep(rates, now);
        }
        self.grant(rates, now);
        event
    }

    /// The server has said what its limits are.
    pub(crate) fn learn(&mut self, rates: &Rates, fare: Fare, allowance: Allowance, now: u64) {
        let was_known = self.learnt.is_known();
        if self.learnt.names(allowance) {
            if !was_known {
                // Nobody has counted what is in flight.
                self.room.start.begin(now);
            }
            self.set(rates, self.settings, now);
        }
        self.learnt.follow(rates, fare, allowance, now);
        self.queue.sooner();
        self.grant(rates, now);
    }

    /// Other settings hold from now on.
    pub(crate) fn set(&mut self, rates: &Rates, settings: PaceSettings, now: u64) {
        self.settings = settings;
        self.room.in_flight.set(settings.in_flight);
        self.follow(rates, now);
        self.queue.sooner();
        self.grant(rates, now);
        self.sweep(rates, now);
    }

    /// Forgets what the server has said.
    pub(crate) fn reset(&mut self, rates: &Rates, now: u64) {
        self.latch = Latch::default();
        self.room.start = first_calls(self.settings, now);
        self.found = FoundRate::default();
        self.learnt = Learnt::default();
        self.tally.resumes(between(now, self.paused_until));
        self.paused_until = 0;
        self.set(rates, self.settings, now);
    }

    /// Lets all pass whose turn it is; in their order, whoever of them comes to ask.
    pub(crate) fn grant(&mut self, rates: &Rates, now: u64) {
        while let Some(want) = self.queue.first() {
            let decision = match self.pass(rates, want, now) {
                Ok(fare) => Ok(fare),
                Err((_, turn)) if want.until <= now => Err(self.late(turn, now)),
                Err(first) => {
                    self.first = Some(first);
                    break;
                }
            };
            self.queue.decide(0, decision);
        }
    }

    /// Takes what a call needs to be sent, or says what holds it and until when, as far as that is known.
    fn pass(&mut self, rates: &Rates, want: Want, now: u64) -> Result<Fare, (Hold, u64)> {
        if now < self.paused_until {
            return Err((Hold::Pause, self.paused_until));
        }
        self.room.check(now).map_err(|turn| (Hold::InFlight, turn))?;
        rates.take(want.cost, now).map_err(|turn| (Hold::Rate, turn))?;
        Ok(self.room.take(rates.fare(want.cost, self.epoch, now)))
    }

    /// When it is the turn of a call behind `others`, at the latest.
    pub(crate) fn turn(&mut self, rates: &Rates, others: Others, want: Want, now: u64) -> u64 {
        let round = self.room.check(now.max(self.paused_until)).err().unwrap_or(now);
        rates.turn(others.count, others.cost, want.cost, now.max(self.paused_until)).max(round.min(want.until))
    }

    /// Whether whoever asks the store has to be woken; said once.
    pub(crate) fn rings(&mut self, now: u64) -> bool {
        self.sharing.rings(!self.queue.is_empty(), self.paused_until, now)
    }
}

/// How calls begin that are set so: few at first where a rate is looked for, since what is in flight is refused with the first.
fn first_calls(settings: PaceSettings, now: u64) -> SlowStart {
    if settings.limits() || !settings.finds() { SlowStart::default() } else { SlowStart::careful(now) }
}

/// The least time until somebody looks again whose turn should be now.
const SOON: u64 = 1_000_000;
