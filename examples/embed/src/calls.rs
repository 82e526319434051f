//! Adds up what the calls did.

use std::{collections::BTreeMap, time::Duration};

use trysail::{Class, RetryReport};

use crate::latency::Latencies;

#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    /// Failed attempts that were repeated, by class.
    pub(crate) retries: BTreeMap<&'static str, u64>,
    /// How often a call waited for an open circuit.
    pub(crate) pauses: u64,
    /// Of all calls together.
    pub(crate) slept: Duration,
    pub(crate) latencies: Latencies,
}

impl Calls {
    pub(crate) fn add(&mut self, report: &RetryReport, took: Duration) {
        for class in Class::ALL {
            let last = report.stop().is_some() && report.last().is_some_and(|verdict| verdict.class() == class);
            let repeated = u64::from(report.failures(class)).saturating_sub(u64::from(last));
            match class {
                _ if repeated == 0 => {}
                Class::Refused => self.pauses += repeated,
                _ => *self.retries.entry(class.as_str()).or_default() += repeated,
            }
        }
        self.slept += report.slept();
        self.latencies.record(took);
    }
}
