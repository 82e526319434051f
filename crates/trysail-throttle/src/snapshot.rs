use std::time::Duration;

use trysail_core::{Held, Hold, Verdict};

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
    first: Option<Held>,
    requests: Option<f64>,
    cost: Option<f64>,
    in_force: [Option<Rate>; 2],
    learnt: [Option<Rate>; 2],
    found: Option<Rate>,
    latched: Option<(Verdict, Duration)>,
    store: Store,
    replicas: u32,
}

impl PaceSnapshot {
    pub(crate) fn of(machine: &mut Machine, rates: &Rates, spending: Spending, now: u64) -> Self {
        let latched = machine.latch.verdict().map(|verdict| {
            let rest = machine.latch.refusal(now).map_or(Duration::ZERO, Held::retry_after);
            (verdict, rest)
        });
        let first = machine.first.filter(|_| !machine.queue.is_empty());
        Self {
            waiting: machine.queue.len(),
            tally: machine.tally,
            spending,
            paused: between(now, machine.paused_until),
            in_flight: machine.room.most(now),
            first: first.map(|(hold, turn)| Held::new(hold, between(now, turn))),
            requests: rates.requests.level(now),
            cost: rates.cost.level(now),
            in_force: machine.in_force(now),
            learnt: [machine.learnt.requests, machine.learnt.cost],
            found: machine.found.rates(now).into_iter().flatten().next(),
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

    /// For how long they have waited, all together; those who still do are not counted.
    pub const fn waited_for(&self) -> Duration {
        self.tally.waited_for
    }

    /// What holds the first of those who wait, and until when, at the latest.
    pub const fn first(&self) -> Option<Held> {
        self.first
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

    /// For how long the server has asked for that since the pace was made; a pause that is not over counts whole.
    pub const fn paused_for(&self) -> Duration {
        self.tally.paused_for
    }

    /// How many calls could be in flight, while they began, came back after a pause, or if there is a limit.
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

    /// The rate of requests that held: the least of those that are set, learnt and found.
    pub const fn request_rate(&self) -> Option<Rate> {
        self.in_force[0]
    }

    /// The rate of cost that held.
    pub const fn cost_rate(&self) -> Option<Rate> {
        self.in_force[1]
    }

    /// The rate of requests that the server has named.
    pub const fn learnt_requests(&self) -> Option<Rate> {
        self.learnt[0]
    }

    /// The rate of cost that the server has named.
    pub const fn learnt_cost(&self) -> Option<Rate> {
        self.learnt[1]
    }

    /// The rate that the server was found to take: of requests, or of what they cost.
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
