//! Clients that contend for one row of a database, each until it has written once, with our backoffs in between.

use std::{cmp::Ordering, collections::BinaryHeap, time::Duration};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use trysail::{Backoff, retry::Jitter};

use crate::{
    dice::Dice,
    storm::{name, rounded},
    table::{self, Table},
};

/// A backoff of ours, by the name that it has in the article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    None,
    Exponential,
    Equal,
    Full,
    #[value(name = "decorrelated")]
    #[serde(rename = "Decorr")]
    Decorrelated,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) clients: usize,
    pub(crate) algo: Algorithm,
    /// Until the last one has written.
    pub(crate) mean_time_ms: f64,
    /// The standard error.
    pub(crate) se: f64,
    /// Writes that were tried.
    pub(crate) mean_calls: f64,
    pub(crate) se_calls: f64,
}

pub(crate) fn rows(clients: &[usize], trials: usize, seed: u64) -> Vec<Row> {
    let every =
        clients.iter().flat_map(|&clients| Algorithm::value_variants().iter().map(move |&algo| (clients, algo)));
    every.map(|(clients, algo)| row(clients, algo, trials, seed)).collect()
}

fn row(clients: usize, algo: Algorithm, trials: usize, seed: u64) -> Row {
    let (backoff, dice) = (algo.backoff(seed), Dice::seeded(seed + clients as u64));
    let (times, calls): (Vec<_>, Vec<_>) = (0..trials).map(|_| contend(clients, &backoff, &dice)).unzip();
    let ((time, time_error), (calls, calls_error)) = (mean(&times), mean(&calls));
    Row {
        clients,
        algo,
        mean_time_ms: rounded(time, 0),
        se: rounded(time_error, 1),
        mean_calls: rounded(calls, 0),
        se_calls: rounded(calls_error, 1),
    }
}

impl Algorithm {
    /// The first retry of the article waits for up to twice its base.
    fn backoff(self, seed: u64) -> Backoff {
        let base = Duration::from_millis(5);
        let from = |first| Backoff::exponential(first).cap(Duration::from_secs(2)).retries(u32::MAX).seed(seed);
        match self {
            Self::None => Backoff::constant(Duration::ZERO).retries(u32::MAX),
            Self::Exponential => from(2 * base).jitter(Jitter::None),
            Self::Equal => from(2 * base).jitter(Jitter::Equal),
            Self::Full => from(2 * base).jitter(Jitter::Full),
            Self::Decorrelated => from(base).jitter(Jitter::Decorrelated),
        }
    }
}

enum Event {
    Read { client: usize },
    Seen { client: usize, version: u32 },
    Write { client: usize, version: u32 },
    Refused { client: usize },
}

/// How long all clients took, in milliseconds, and how many writes were tried.
fn contend(clients: usize, backoff: &Backoff, dice: &Dice) -> (f64, f64) {
    let network = || dice.normal(10.0, 2.0).abs();
    let mut delays: Vec<_> = (0..clients).map(|_| backoff.clone().into_iter()).collect();
    let mut agenda = BinaryHeap::new();
    (0..clients).for_each(|client| agenda.push(Entry { at: network(), event: Event::Read { client } }));
    let (mut version, mut calls, mut ends) = (0, 0.0, 0.0_f64);
    while let Some(Entry { at, event }) = agenda.pop() {
        let (after, event) = match event {
            Event::Read { client } => (network(), Event::Seen { client, version }),
            Event::Seen { client, version } => (network(), Event::Write { client, version }),
            Event::Write { client, version: seen } => {
                calls += 1.0;
                let answer = network();
                ends = ends.max(at + answer);
                if seen == version {
                    version += 1;
                    continue;
                }
                (answer, Event::Refused { client })
            }
            Event::Refused { client } => {
                let delay = delays[client].next().unwrap_or_default();
                (network() + delay.as_secs_f64() * 1_000.0, Event::Read { client })
            }
        };
        agenda.push(Entry { at: at + after, event });
    }
    (ends, calls)
}

/// What happens when; the earliest is the greatest.
struct Entry {
    at: f64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.total_cmp(&self.at)
    }
}

/// Mean, and standard error of it.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}

impl table::Row for Row {
    const COLUMNS: &'static [&'static str] = &["backoff", "clients", "ms", "±", "writes", "±"];

    fn cells(&self) -> Vec<String> {
        vec![
            name(self.algo),
            self.clients.to_string(),
            self.mean_time_ms.to_string(),
            self.se.to_string(),
            self.mean_calls.to_string(),
            self.se_calls.to_string(),
        ]
    }
}

pub(crate) fn table(rows: &[Row]) -> Table {
    Table::new("Jitter: who is done first?", ABOUT, rows)
}

const ABOUT: &str = "\
The model of AWS's article on exponential backoff and jitter: clients contend for one row with optimistic locking, each \
until it has written once, 10 ms ± 2 away. Our backoffs from 5 ms on, x 2, up to 2 s: milliseconds until the last one \
is done and writes that were tried, each with its standard error.";

pub(crate) const CLIENTS: [usize; 6] = [10, 20, 50, 100, 150, 190];
pub(crate) const TRIALS: usize = 100;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn near(one: &Row, other: &Row) -> bool {
        let near = |one: f64, other: f64, errors: [f64; 2]| {
            (one - other).abs() <= (3.0 * errors[0].hypot(errors[1])).max(one * 0.05)
        };
        near(one.mean_time_ms, other.mean_time_ms, [one.se, other.se])
            && near(one.mean_calls, other.mean_calls, [one.se_calls, other.se_calls])
    }

    fn committed() -> Vec<Row> {
        let lines = include_str!("../../../docs/evaluation/jitter.jsonl").lines();
        lines.map(|line| serde_json::from_str(line).expect("a row")).collect()
    }

    #[test]
    fn what_is_committed_is_what_the_program_prints() {
        let rows = committed();
        for now in super::rows(&[10, 50], 20, 2) {
            let then = rows.iter().find(|row| row.clients == now.clients && row.algo == now.algo).expect("a row");
            println!("{then:?}\n{now:?}");
            assert!(near(then, &now));
        }
    }

    #[test]
    fn our_backoffs_resolve_contention_as_fast_as_those_they_are_named_for() {
        #[derive(Deserialize)]
        struct Theirs {
            rows: Vec<(usize, Algorithm, f64, f64, f64, f64)>,
        }
        let file = format!("{}/../../tests/data/jitter-simulation.json", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(file).expect("a table");
        let theirs: Theirs = serde_json::from_str(&text).expect("a table");
        let ours = committed();
        for (clients, algo, mean_time_ms, se, mean_calls, se_calls) in theirs.rows {
            let theirs = Row { clients, algo, mean_time_ms, se, mean_calls, se_calls };
            let ours = ours.iter().find(|row| row.clients == clients && row.algo == algo).expect("a row");
            assert!(near(&theirs, ours), "{theirs:?}, {ours:?}");
        }
    }
}
