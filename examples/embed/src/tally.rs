//! Adds up what the batches did.

use std::{collections::BTreeMap, time::Duration};

use trysail::Class;

use crate::{
    finished::{Call, Failed, Finished},
    latency::Latencies,
};

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
    /// Calls for halves of batches that were too much at once.
    pub(crate) halves: u64,
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
            halves: 0,
            pauses: 0,
            slept: Duration::ZERO,
            batches: Latencies::new(),
        }
    }

    pub(crate) fn add(&mut self, finished: &Finished) {
        for (place, line) in finished.lines() {
            let Err(Failed { class, message, .. }) = line else {
                self.embedded += 1;
                continue;
            };
            *self.failed.entry(class).or_default() += 1;
            self.first_failure.get_or_insert_with(|| match &place.file {
                Some(file) => format!("{file}, line {}: {message}", place.line),
                None => format!("line {}: {message}", place.line),
            });
        }
        finished.calls.iter().for_each(|call| self.call(call));
        self.halves += finished.calls.len().saturating_sub(1) as u64;
    }

    fn call(&mut self, Call { report, took }: &Call) {
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
        self.batches.record(*took);
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed.values().sum()
    }
}
