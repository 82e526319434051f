//! A server that is slow for five seconds, and callers that repeat: does it ever recover from that?

mod policy;
mod server;
#[cfg(test)]
mod tests;

use std::{cell::RefCell, ops::Range, rc::Rc, time::Duration};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::{
    task::LocalSet,
    time::{self, Instant},
};

use self::server::Server;
pub(crate) use self::{policy::Policy, server::Kind};
use crate::{
    clock,
    dice::Dice,
    table::{self, Table},
};

/// Which rows are wanted; all of them where nothing is said.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    pub(crate) clients: Option<usize>,
    pub(crate) policy: Option<Policy>,
    pub(crate) server: Option<Kind>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) policy: Policy,
    pub(crate) clients: usize,
    pub(crate) server: Kind,
    pub(crate) seed: u64,
    /// Before the first second in which 95 % of the calls are answered, and never less than 85 % after that.
    pub(crate) recovery_s: Option<usize>,
    /// Answers a second.
    pub(crate) goodput_30_60: f64,
    pub(crate) goodput_90_119: f64,
    /// Requests a call, from 90 to 119 s.
    pub(crate) send_amplification: f64,
    /// In the worst second.
    pub(crate) peak_amplification: f64,
}

impl Choice {
    pub(crate) fn rows(&self, seed: u64) -> Vec<Row> {
        fn all<T: Copy>(one: Option<T>, all: &[T]) -> Vec<T> {
            one.map_or_else(|| all.to_vec(), |one| vec![one])
        }
        let mut rows = Vec::new();
        for server in all(self.server, Kind::value_variants()) {
            for policy in all(self.policy, Policy::value_variants()) {
                for clients in all(self.clients, &CLIENTS) {
                    rows.push(Storm::run(policy, clients, server, seed).row(policy, clients, server, seed));
                }
            }
        }
        rows
    }
}

/// Each second: calls that came, requests that were sent, answers that came in time.
#[derive(Debug, Default)]
pub(crate) struct Storm {
    came: Vec<f64>,
    sent: Vec<f64>,
    pub(crate) good: Vec<f64>,
}

impl Storm {
    /// The calls come by themselves, spread at random over the processes.
    pub(crate) fn run(policy: Policy, clients: usize, kind: Kind, seed: u64) -> Self {
        let seconds = || vec![0.0; SECONDS];
        let storm = Rc::new(RefCell::new(Self { came: seconds(), sent: seconds(), good: seconds() }));
        let counted = Rc::clone(&storm);
        clock::virtually(LocalSet::new().run_until(async move {
            let (began, dice) = (Instant::now(), Dice::seeded(seed));
            let server = Server::start(kind, seed + 100, Rc::clone(&counted));
            let callers: Vec<_> = (0..clients).map(|client| policy.caller(&server, seed + client as u64)).collect();
            let mut at = dice.gap(CALLS_A_SECOND);
            while at < SECONDS as f64 {
                time::sleep_until(began + Duration::from_secs_f64(at)).await;
                count(&mut counted.borrow_mut().came, began);
                let (call, counted) = (callers[dice.below(clients)](), Rc::clone(&counted));
                tokio::task::spawn_local(async move {
                    if call.await {
                        count(&mut counted.borrow_mut().good, began);
                    }
                });
                at += dice.gap(CALLS_A_SECOND);
            }
        }));
        storm.take()
    }

    fn row(&self, policy: Policy, clients: usize, server: Kind, seed: u64) -> Row {
        let mean = |counts: &[f64]| counts.iter().sum::<f64>() / counts.len() as f64;
        let settled = 1 + self.good.iter().rposition(|good| *good < 0.85 * CALLS_A_SECOND).unwrap_or(0);
        let end = SLOW.end as usize;
        let recovered = (settled.max(end)..SECONDS).find(|second| self.good[*second] >= 0.95 * CALLS_A_SECOND);
        Row {
            policy,
            clients,
            server,
            seed,
            recovery_s: recovered.map(|second| second - end),
            goodput_30_60: rounded(mean(&self.good[30..60]), 1),
            goodput_90_119: rounded(mean(&self.good[90..119]), 1),
            send_amplification: rounded(mean(&self.sent[90..119]) / mean(&self.came[90..119]), 3),
            peak_amplification: rounded(
                self.sent.iter().zip(&self.came).map(|(sent, came)| sent / came).fold(0.0, f64::max),
                3,
            ),
        }
    }
}

impl Row {
    pub(crate) fn recovery(&self) -> String {
        self.recovery_s.map_or_else(|| "never".to_owned(), |seconds| seconds.to_string())
    }
}

impl table::Row for Row {
    const COLUMNS: &'static [&'static str] = &[
        "policy",
        "processes",
        "server",
        "recovers after, s",
        "answers/s, 30–60 s",
        "answers/s, 90–119 s",
        "requests a call, 90–119 s",
        "at the peak",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            name(self.policy),
            self.clients.to_string(),
            name(self.server),
            self.recovery(),
            format!("{:.0}", self.goodput_30_60),
            format!("{:.0}", self.goodput_90_119),
            format!("{:.2}", self.send_amplification),
            format!("{:.2}", self.peak_amplification),
        ]
    }
}

pub(crate) fn table<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Table {
    Table::new("Storm: does the server come back?", ABOUT, rows)
}

/// What it is called on the command line.
pub(crate) fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn count(seconds: &mut [f64], began: Instant) {
    if let Some(count) = seconds.get_mut(began.elapsed().as_secs() as usize) {
        *count += 1.0;
    }
}

/// To so many decimals.
pub(crate) fn rounded(figure: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (figure * scale).round() / scale
}

const ABOUT: &str = "\
Calls that come by themselves, 700 a second, spread at random over so many processes with a budget and a circuit each; a \
server for 1,000 a second, which from 20 to 25 s serves 300; a caller waits for 1 s, and the server works on for those \
who have gone. Up to three retries after 100 ms x 2, with full jitter. It has recovered in the first second in which \
95 % of the calls are answered and after which it is never less than 85 %, up to 120 s.";

pub(crate) const CLIENTS: [usize; 4] = [1, 10, 100, 700];
pub(crate) const SECONDS: usize = 120;
pub(crate) const CALLS_A_SECOND: f64 = 700.0;
const CAPACITY: f64 = 1_000.0;
pub(crate) const SLOW: Range<f64> = 20.0..25.0;
const SLOW_CAPACITY: f64 = 300.0;
/// How long an attempt is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
