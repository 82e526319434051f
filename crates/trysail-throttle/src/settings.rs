use std::time::Duration;

use crate::Rate;

/// All that is set of a [`Pace`](crate::Pace): rates, how many calls may wait, how long a pause may be.
///
/// By default there is no rate: calls pass, and are slowed down only by what the server says. Only the first of them are few in
/// flight, and become more with what is answered, until nobody has to wait for that.
///
/// ```
/// # use trysail_throttle::{Pace, PaceSettings, Rate};
/// let pace = Pace::new(PaceSettings::new().requests(Rate::per_minute(500)).cost(Rate::per_minute(200_000)));
/// pace.update(|settings| settings.requests(Rate::per_minute(3_000)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaceSettings {
    pub(crate) requests: Option<Rate>,
    pub(crate) cost: Option<Rate>,
    pub(crate) queue: usize,
    pub(crate) most_pause: Duration,
    pub(crate) in_flight: Option<u32>,
    pub(crate) is_without_search: bool,
}

impl PaceSettings {
    /// No rates, 10,000 calls that wait, pauses of 10 min at most.
    pub const fn new() -> Self {
        let most_pause = Duration::from_secs(600);
        Self { requests: None, cost: None, queue: 10_000, most_pause, in_flight: None, is_without_search: false }
    }

    /// How many requests may be sent.
    pub const fn requests(self, rate: Rate) -> Self {
        Self { requests: Some(rate), ..self }
    }

    /// How much all requests may cost, by what the layer's [`cost`](crate::ThrottleLayer::cost) says of each.
    pub const fn cost(self, rate: Rate) -> Self {
        Self { cost: Some(rate), ..self }
    }

    /// Without rates.
    pub const fn unlimited(self) -> Self {
        Self { requests: None, cost: None, ..self }
    }

    /// Whether somebody has said how much the server takes.
    pub(crate) const fn limits(&self) -> bool {
        self.requests.is_some() || self.cost.is_some() || self.in_flight.is_some()
    }

    /// How many calls may wait; one more is refused.
    pub const fn queue(self, calls: usize) -> Self {
        Self { queue: calls, ..self }
    }

    /// How many calls may be in flight: never more than `most`, fewer where the server does not bear that many.
    ///
    /// It is cut by 0.7 with a call that was throttled, failed or timed out, once for all that were in flight, never below
    /// one, and comes back with what is answered, and by itself within three minutes. Off unless set.
    pub const fn in_flight(self, most: u32) -> Self {
        Self { in_flight: Some(most), ..self }
    }

    /// No rate is looked for: a hint pauses all calls, and a refusal without one is the matter of its call alone.
    ///
    /// Without it calls come back after a refusal at the rate that was answered before it, which keeps to an unknown limit with
    /// few refusals, and slows calls down for long where the server refuses some at random.
    pub const fn without_search(self) -> Self {
        Self { is_without_search: true, ..self }
    }

    /// For how long a server's hint is believed: after this, a call asks.
    pub const fn most_pause(self, time: Duration) -> Self {
        Self { most_pause: time, ..self }
    }

    /// Whether a rate is looked for.
    pub(crate) const fn finds(&self) -> bool {
        !self.is_without_search
    }
}

impl Default for PaceSettings {
    fn default() -> Self {
        Self::new()
    }
}

/// So many requests, and no other limit.
impl From<Rate> for PaceSettings {
    fn from(rate: Rate) -> Self {
        Self::new().requests(rate)
    }
}
