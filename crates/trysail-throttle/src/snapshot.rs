use std::time::Duration;

use trysail_core::{Hold, Verdict};

use crate::{
    machine::Machine, rate::Rate, rates::Rates, sharing::Store, spending::Spending, tally::Tally, time::between,
};

/// How a pace was at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaceSnapshot {
    waiting: usize,
    tally: Tally,
    spending: Spending,
    paused: Duration,
    in_flight: Option<u32>,
    requests: Option<f64>,
    cost: Option<f64>,
    found: Option<Rate>,
    latched: Option<(Verdict, Duration)>,
    store: Store,
    replicas: u32,
}

impl PaceSnapshot {
    pub(crate) fn of(machine: &mut Machine, rates: &Rates, spending: Spending, now: u64) -> Self {
        let latched = machine.latch.verdict().map(|verdict| {
            let rest = machine.latch.refusal(now).map_or(Duration::ZERO, trysail_core::Held::retry_after);
            (verdict, rest)
        });
        Self {
            waiting: machine.queue.len(),
            tally: machine.tally,
            spending,
            paused: between(now, machine.paused_until),
            in_flight: machine.room.most(now),
            requests: rates.requests.level(now),
            cost: rates.cost.level(now),
            found: machine.found.rate(now),
            latched,
            store: machine.sharing.store,
            replicas: machine.sharing.replicas(),
        }
    }

    /// How many calls waited for their turn.
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many calls have waited since the pace was made.
    pub const fn waited(&self) -> u64 {
        self.tally.waited
    }

    /// How many calls were refused since then for this reason.
    pub const fn refused(&self, hold: Hold) -> u64 {
        self.tally.refused[hold.index()]
    }

    /// What calls have used up.
    pub const fn spending(&self) -> Spending {
        self.spending
    }

    /// For how long nothing was to be sent any more, since the server had asked for that.
    pub const fn paused(&self) -> Option<Duration> {
        if self.paused.is_zero() { None } else { Some(self.paused) }
    }

    /// How many calls could be in flight, while they came back after a pause or if there is a limit.
    pub const fn in_flight(&self) -> Option<u32> {
        self.in_flight
    }

    /// How many requests could be sent at once; less than none, in debt. `None` without a rate. Of one that is shared, what this
    /// replica has leased and not used.
    pub const fn requests(&self) -> Option<f64> {
        self.requests
    }

    /// How much they could cost.
    pub const fn cost(&self) -> Option<f64> {
        self.cost
    }

    /// The rate of requests that the server was found to take.
    pub const fn found(&self) -> Option<Rate> {
        self.found
    }

    /// What calls were told while the credential or the account was no good, and for how long still.
    pub const fn latched(&self) -> Option<(Verdict, Duration)> {
        self.latched
    }

    /// Whom it counted its calls with.
    pub const fn store(&self) -> Store {
        self.store
    }

    /// How many replicas kept it, this one among them, when the store last said so; 1 if it never did.
    pub const fn replicas(&self) -> u32 {
        self.replicas
    }
}
