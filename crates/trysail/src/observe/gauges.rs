use std::{sync::Arc, time::Duration};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use trysail_breaker::{Circuit, State};
use trysail_core::Hold;
use trysail_retry::Budget;
use trysail_throttle::{Pace, Rate, Store};

use crate::observe::{labels::Labels, used::Used};

/// Publishes how a circuit, a budget and a pace are, and what was used up, each time it is asked to.
///
/// ```
/// # use trysail::{Gauges, Preset};
/// let preset = Preset::interactive();
/// let gauges = Gauges::new("api.openai.com", "text-embedding-3-small").circuit(preset.circuit()).budget(preset.budget()).pace(preset.pace());
/// // Before metrics are read, or every few seconds:
/// gauges.publish();
/// ```
#[derive(Clone, Debug)]
pub struct Gauges {
    labels: Labels,
    circuit: Option<Circuit>,
    budget: Option<Budget>,
    pace: Option<Pace>,
    pub(crate) used: Used,
}

impl Gauges {
    /// Labelled as an [`ObserveLayer`](crate::ObserveLayer) of the same words; says what they mean to the recorder that
    /// is installed now.
    pub fn new(origin: impl Into<Arc<str>>, model: impl Into<Arc<str>>) -> Self {
        describe_gauge!(STATE, "1 for the state the circuit is in, 0 for the others");
        describe_counter!(OPENED, Unit::Count, "how often the circuit has opened");
        describe_gauge!(RETRIES, Unit::Count, "how many retries the budget can pay for");
        describe_gauge!(CAPACITY, Unit::Count, "how many retries the budget has room for");
        describe_gauge!(WAITING, Unit::Count, "how many calls wait for their turn");
        describe_counter!(WAITED, Unit::Count, "how many calls have waited for their turn");
        describe_counter!(WAITED_FOR, Unit::Seconds, "for how long they have waited, all together");
        describe_counter!(HELD, Unit::Count, "how many calls were held back, and not sent");
        describe_counter!(SENT, Unit::Count, "attempts that were sent at the pace");
        describe_counter!(SPENT, Unit::Count, "what these cost");
        describe_gauge!(PAUSED, Unit::Seconds, "for how long nothing is to be sent any more");
        describe_counter!(PAUSED_FOR, Unit::Seconds, "for how long nothing was to be sent");
        describe_gauge!(
            LIMIT_OF_REQUESTS,
            Unit::Count,
            "how many requests a minute the account has, as set, learnt or found"
        );
        describe_gauge!(LIMIT_OF_COST, Unit::Count, "how much they may cost a minute");
        describe_gauge!(STORE, "1 for whom the pace is kept with: own, shared or alone");
        describe_gauge!(REPLICAS, Unit::Count, "how many replicas keep the pace");
        describe_gauge!(REQUESTS, Unit::Count, "how many requests the rate has room for");
        describe_gauge!(COST, Unit::Count, "how much the rate of cost has room for");
        Self { labels: Labels::new(origin, model), circuit: None, budget: None, pace: None, used: Used::new() }
    }

    /// The circuit to watch.
    pub fn circuit(self, circuit: &Circuit) -> Self {
        Self { circuit: Some(circuit.clone()), ..self }
    }

    /// The budget to watch.
    pub fn budget(self, budget: &Budget) -> Self {
        Self { budget: Some(budget.clone()), ..self }
    }

    /// The pace to watch.
    pub fn pace(self, pace: &Pace) -> Self {
        Self { pace: Some(pace.clone()), ..self }
    }

    /// Tells the recorder how they are now.
    pub fn publish(&self) {
        if let Some(circuit) = &self.circuit {
            let now = circuit.snapshot();
            for (state, name) in STATES {
                gauge!(STATE, self.labels.and("state", name)).set(u8::from(now.state() == *state));
            }
            counter!(OPENED, self.labels.to_vec()).absolute(now.opened());
        }
        if let Some(budget) = &self.budget {
            let now = budget.snapshot();
            gauge!(RETRIES, self.labels.to_vec()).set(now.retries);
            gauge!(CAPACITY, self.labels.to_vec()).set(now.capacity);
        }
        self.used.publish(&self.labels);
        if let Some(pace) = &self.pace {
            let now = pace.snapshot();
            gauge!(WAITING, self.labels.to_vec()).set(now.waiting() as f64);
            counter!(WAITED, self.labels.to_vec()).absolute(now.waited());
            counter!(WAITED_FOR, self.labels.to_vec()).absolute(now.waited_for().as_secs());
            counter!(PAUSED_FOR, self.labels.to_vec()).absolute(now.paused_for().as_secs());
            for hold in Hold::ALL {
                counter!(HELD, self.labels.and("hold", hold.as_str())).absolute(now.refused(hold));
            }
            let spending = now.spending();
            let spent = [spending.answered(), spending.failed(), spending.abandoned()];
            for (spent, outcome) in spent.into_iter().zip(["answered", "failed", "abandoned"]) {
                counter!(SENT, self.labels.and("outcome", outcome)).absolute(spent.attempts());
                counter!(SPENT, self.labels.and("outcome", outcome)).absolute(spent.cost());
            }
            gauge!(PAUSED, self.labels.to_vec()).set(now.paused().unwrap_or_default().as_secs_f64());
            for (store, name) in STORES {
                gauge!(STORE, self.labels.and("store", name)).set(u8::from(now.store() == *store));
            }
            gauge!(REPLICAS, self.labels.to_vec()).set(now.replicas());
            let a_minute = |rate: Option<Rate>| rate.map(|rate| rate.within(MINUTE));
            let limits =
                [(LIMIT_OF_REQUESTS, a_minute(now.request_rate())), (LIMIT_OF_COST, a_minute(now.cost_rate()))];
            for (name, level) in [(REQUESTS, now.requests()), (COST, now.cost())].into_iter().chain(limits) {
                if let Some(level) = level {
                    gauge!(name, self.labels.to_vec()).set(level);
                }
            }
        }
    }
}

const STATES: &[(State, &str)] = &[
    (State::Closed, "closed"),
    (State::Open, "open"),
    (State::HalfOpen, "half_open"),
    (State::ForcedOpen, "forced_open"),
    (State::Disabled, "disabled"),
];
const STORES: &[(Store, &str)] = &[(Store::Own, "own"), (Store::Shared, "shared"), (Store::Alone, "alone")];
const STATE: &str = "trysail_circuit_state";
const OPENED: &str = "trysail_circuit_opened_total";
const RETRIES: &str = "trysail_budget_retries";
const CAPACITY: &str = "trysail_budget_capacity";
const WAITING: &str = "trysail_throttle_waiting";
const WAITED: &str = "trysail_throttle_waited_total";
const WAITED_FOR: &str = "trysail_throttle_waited_seconds_total";
const HELD: &str = "trysail_throttle_held_total";
const SENT: &str = "trysail_throttle_attempts_total";
const SPENT: &str = "trysail_throttle_cost_total";
const PAUSED: &str = "trysail_throttle_paused_seconds";
const PAUSED_FOR: &str = "trysail_throttle_paused_seconds_total";
const LIMIT_OF_REQUESTS: &str = "trysail_throttle_requests_per_minute";
const LIMIT_OF_COST: &str = "trysail_throttle_cost_per_minute";
const REQUESTS: &str = "trysail_throttle_requests";
const COST: &str = "trysail_throttle_cost";
const STORE: &str = "trysail_throttle_store";
const REPLICAS: &str = "trysail_throttle_replicas";
const MINUTE: Duration = Duration::from_secs(60);
