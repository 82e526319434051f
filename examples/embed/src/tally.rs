//! Adds up what the batches did.

use std::{collections::BTreeMap, time::Duration};

use trysail::Class;

use crate::{job::Finished, latency::Latencies};

#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) embedded: u64,
    /// Vectors of an earlier run.
    pub(crate) kept: u64,
    /// Failed lines by class.
    pub(crate) failed: BTreeMap<&'static str, u64>,
    /// Where and why the first line failed.
    pub(crate) first_failure: Option<String>,
    /// Failed attempts that were repeated, by class.
    pub(crate) retries: BTreeMap<&'static str, u64>,
    /// How often a batch waited for an open circuit.
    pub(crate) pauses: u64,
    /// Of all batches together.
    pub(crate) slept: Duration,
    pub(crate) batches: Latencies,
}

impl Tally {
    pub(crate) const fn new() -> Self {
        Self {
            embedded: 0,
            kept: 0,
            failed: BTreeMap::new(),
            first_failure: None,
            retries: BTreeMap::new(),
            pauses: 0,
            slept: Duration::ZERO,
            batches: Latencies::new(),
        }
    }

    pub(crate) fn add(&mut self, finished: &Finished) {
        for (place, flaw) in &finished.batch.places {
            let (class, why) = match (flaw, &finished.outcome) {
                (Some(flaw), _) => ("permanent", flaw.as_str()),
                (None, Err(reason)) => (reason.class, reason.message.as_str()),
                (None, Ok(_)) => {
                    self.embedded += 1;
                    continue;
                }
            };
            *self.failed.entry(class).or_default() += 1;
            self.first_failure.get_or_insert_with(|| match &place.file {
                Some(file) => format!("{file}, line {}: {why}", place.line),
                None => format!("line {}: {why}", place.line),
            });
        }
        let report = &finished.report;
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
        if let Some(took) = finished.took {
            self.batches.record(took);
        }
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed.values().sum()
    }
}
