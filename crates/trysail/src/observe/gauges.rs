use std::sync::Arc;

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use trysail_breaker::{Circuit, State};
use trysail_retry::Budget;

use crate::observe::labels::Labels;

/// Publishes how a circuit and a budget are, each time it is asked to.
///
/// ```
/// # use trysail::{Gauges, Preset};
/// let preset = Preset::interactive();
/// let gauges = Gauges::new("api.openai.com", "text-embedding-3-small").circuit(preset.circuit()).budget(preset.budget());
/// // Before metrics are read, or every few seconds:
/// gauges.publish();
/// ```
#[derive(Clone, Debug)]
pub struct Gauges {
    labels: Labels,
    circuit: Option<Circuit>,
    budget: Option<Budget>,
}

impl Gauges {
    /// Labelled as an [`ObserveLayer`](crate::ObserveLayer) of the same words; says what they mean to the recorder that
    /// is installed now.
    pub fn new(origin: impl Into<Arc<str>>, model: impl Into<Arc<str>>) -> Self {
        describe_gauge!(STATE, "1 for the state the circuit is in, 0 for the others");
        describe_counter!(OPENED, Unit::Count, "how often the circuit has opened");
        describe_gauge!(RETRIES, Unit::Count, "how many retries the budget can pay for");
        describe_gauge!(CAPACITY, Unit::Count, "how many retries the budget has room for");
        Self { labels: Labels::new(origin, model), circuit: None, budget: None }
    }

    /// The circuit to watch.
    pub fn circuit(self, circuit: &Circuit) -> Self {
        Self { circuit: Some(circuit.clone()), ..self }
    }

    /// The budget to watch.
    pub fn budget(self, budget: &Budget) -> Self {
        Self { budget: Some(budget.clone()), ..self }
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
    }
}

const STATES: &[(State, &str)] = &[
    (State::Closed, "closed"),
    (State::Open, "open"),
    (State::HalfOpen, "half_open"),
    (State::ForcedOpen, "forced_open"),
    (State::Disabled, "disabled"),
];
const STATE: &str = "trysail_circuit_state";
const OPENED: &str = "trysail_circuit_opened_total";
const RETRIES: &str = "trysail_budget_retries";
const CAPACITY: &str = "trysail_budget_capacity";
