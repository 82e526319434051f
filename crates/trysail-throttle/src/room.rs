use crate::{
    fare::{Fare, Places},
    heard::Heard,
    in_flight::InFlight,
    slow_start::SlowStart,
};

/// How many calls may be in flight: after a pause, and as a server bears them.
#[derive(Debug, Default)]
pub(crate) struct Room {
    pub(crate) start: SlowStart,
    pub(crate) in_flight: InFlight,
}

impl Room {
    pub(crate) const fn is_bounded(&self) -> bool {
        self.start.is_on() || self.in_flight.is_on()
    }

    /// How many there may be now.
    pub(crate) fn most(&self, now: u64) -> Option<u32> {
        self.start.most().into_iter().chain(self.in_flight.limit(now)).min()
    }

    /// Whether one more may go, or else when it may at the latest.
    pub(crate) fn check(&mut self, now: u64) -> Result<(), u64> {
        self.start.room(now)?;
        self.in_flight.room(now)
    }

    pub(crate) fn take(&mut self, fare: Fare) -> Fare {
        fare.and(Places::FIRST, self.start.goes()).and(Places::IN_FLIGHT, self.in_flight.goes())
    }

    /// A call has ended; says whether that ends a round of which nothing is kept.
    pub(crate) fn leave(&mut self, fare: Fare, epoch: u32, outcome: Heard, now: u64) -> bool {
        if fare.places.hold(Places::IN_FLIGHT) {
            let sent = fare.taken.map_or(now, |taken| taken.at);
            self.in_flight.ends(outcome, sent, now);
        }
        fare.places.hold(Places::FIRST) && fare.epoch == epoch && self.start.ends(outcome.is_answered(), now)
    }
}
