//! Adds up what became of the lines.

use std::collections::BTreeMap;

use crate::finished::{Failed, Finished};

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) embedded: u64,
    /// Vectors of an earlier run.
    pub(crate) kept: u64,
    /// Failed lines by class.
    pub(crate) failed: BTreeMap<&'static str, u64>,
    /// Where and why the first line failed.
    pub(crate) first_failure: Option<String>,
}

impl Tally {
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
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed.values().sum()
    }
}
