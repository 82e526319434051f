//! Jobs under a provider's rate limits: with the throttle, without, and with tower's and governor's limits.

mod callers;
mod governor;
mod provider;
#[cfg(test)]
mod tests;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use self::provider::{Counted, Limits, Provider};
use crate::{
    clock,
    storm::{name, rounded},
    table::{self, Table},
};

/// What holds the calls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// Nothing: each call is repeated when it is refused.
    Retry,
    /// tower's limit of requests, set to what the account has, in its buffer.
    Tower,
    /// governor's limits of both, set to what the account has.
    Governor,
    /// The throttle, which is told nothing.
    Throttle,
    /// The throttle, where answers say what is left.
    ThrottleHeaders,
    /// The throttle, set to what the account has.
    ThrottleSet,
}

/// A provider, and who calls it.
#[derive(Debug)]
struct Job {
    name: &'static str,
    limits: Limits,
    /// Of a request, on average.
    tokens: u64,
    callers: u64,
    /// Each with a throttle of its own.
    processes: u64,
    /// How many of its seconds pass in one of the clock's.
    pace: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) job: String,
    pub(crate) policy: Policy,
    pub(crate) seed: u64,
    /// Of what the scarcer limit has for the time: one minute's worth is there in the beginning, too.
    pub(crate) used: f64,
    /// Of the requests.
    pub(crate) refused: f64,
    pub(crate) requests: u64,
}

pub(crate) fn rows(policy: Option<Policy>, seed: u64) -> Vec<Row> {
    let policies = || {
        let every = Policy::value_variants().iter().copied().filter(|one| *one != Policy::Governor);
        every.filter(move |one| policy.is_none_or(|only| only == *one))
    };
    ALL.iter().flat_map(|job| policies().map(move |policy| clock::virtually(one(job, policy, seed)))).collect()
}

/// On the clock of the machine, which governor reads: what is set to the account's limits.
pub(crate) fn real_rows(policy: Option<Policy>, seed: u64) -> Vec<Row> {
    let policies = [Policy::Tower, Policy::Governor, Policy::ThrottleSet];
    let policies = || policies.into_iter().filter(move |one| policy.is_none_or(|only| only == *one));
    let run = |job, policy| clock::really(one(job, policy, seed));
    REAL.iter().flat_map(|job| policies().map(move |policy| run(job, policy))).collect()
}

async fn one(job: &Job, policy: Policy, seed: u64) -> Row {
    let provider = Provider::new(job.limits, policy.says(), job.pace);
    callers::run(job, policy, &provider, seed).await;
    let seen = provider.seen();
    let minutes = SECONDS / 120.0 * (1.0 + job.limits.changes);
    let answered = (seen.requests - seen.refused) as f64;
    let used = (answered / job.limits.requests).max(seen.tokens / job.limits.tokens) / minutes;
    Row {
        job: job.name.to_owned(),
        policy,
        seed,
        used: rounded(used, 4),
        refused: rounded(seen.refused as f64 / seen.requests as f64, 5),
        requests: seen.requests,
    }
}

impl Policy {
    const fn says(self) -> provider::Says {
        match self {
            Self::ThrottleHeaders => provider::Says::Left,
            _ => provider::Says::Nothing,
        }
    }
}

impl table::Row for Row {
    const COLUMNS: &'static [&'static str] = &["job", "policy", "used, %", "refused, %", "requests"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.job.clone(),
            name(self.policy),
            format!("{:.1}", self.used * 100.0),
            format!("{:.2}", self.refused * 100.0),
            self.requests.to_string(),
        ]
    }
}

pub(crate) fn table(rows: &[Row]) -> Table {
    Table::new("Limits: a job under a provider's rate limits", ABOUT, rows)
}

pub(crate) fn real_table(rows: &[Row]) -> Table {
    Table::new("Limits, in real time", REAL_ABOUT, rows)
}

const fn job(name: &'static str, requests: f64, tokens: f64, counted: Counted, mean: u64) -> Job {
    let limits = Limits { requests, tokens, counted, changes: 1.0 };
    Job { name, limits, tokens: mean, callers: 64, processes: 1, pace: 1.0 }
}

const fn usual(name: &'static str, mean: u64) -> Job {
    job(name, 500.0, 200e3, Counted::Bucket(60.0), mean)
}

const fn changes(name: &'static str, mean: u64, changes: f64) -> Job {
    let usual = usual(name, mean);
    Job { limits: Limits { changes, ..usual.limits }, ..usual }
}

const ALL: &[Job] = &[
    usual("requests bind", 300),
    usual("tokens bind", 2_000),
    Job { processes: 4, ..usual("requests bind, 4 processes", 300) },
    Job { processes: 4, ..usual("tokens bind, 4 processes", 2_000) },
    Job { callers: 4, ..usual("tokens bind, 4 callers", 2_000) },
    Job { callers: 256, ..usual("tokens bind, 256 callers", 2_000) },
    job("60 requests a minute", 60.0, 200e3, Counted::Bucket(60.0), 300),
    job("3,000 requests a minute", 3_000.0, 2e6, Counted::Bucket(60.0), 300),
    job("10,000 tokens a minute", 500.0, 10e3, Counted::Bucket(60.0), 300),
    job("2,000,000 tokens a minute", 3_000.0, 2e6, Counted::Bucket(60.0), 2_000),
    job("a bucket of one second", 500.0, 200e3, Counted::Bucket(1.0), 300),
    job("windows, requests bind", 500.0, 200e3, Counted::Fixed, 300),
    job("windows, tokens bind", 500.0, 200e3, Counted::Fixed, 2_000),
    job("the last minute, requests bind", 500.0, 200e3, Counted::Sliding, 300),
    job("the last minute, tokens bind", 500.0, 200e3, Counted::Sliding, 2_000),
    changes("requests bind, twice as many after 5 min", 300, 2.0),
    changes("tokens bind, half of them after 5 min", 2_000, 0.5),
];

const REAL: &[Job] =
    &[Job { pace: PACE, ..usual("requests bind", 300) }, Job { pace: PACE, ..usual("tokens bind", 2_000) }];

/// How many times faster it goes on the clock of the machine.
const PACE: f64 = 60.0;
/// How long a job runs.
const SECONDS: f64 = 600.0;

const ABOUT: &str = "\
Callers, 64 unless said, who call one after the other for ten minutes through a retry with a deadline of 300 s, a quarter of \
a second away from a provider with 500 requests and 200,000 tokens a minute unless said, in buckets that hold a minute's \
worth. A request has half to one and a half of its mean of tokens: 300 where requests bind, 2,000 where tokens do. It \
refuses what is too much with 429, and does not say for how long. What is used counts against what the limit that binds \
brings in the time; a bucket that was full in the beginning makes 110 % of it possible. Of `tower`, which limits requests \
alone, the rate is set to the account's; of `throttle-set` both are. Processes share an account and nothing else.";

const REAL_ABOUT: &str = "\
The same on the clock of the machine, which `governor` reads, 60 times as fast: ten minutes take 10 s, and the account has \
500 requests and 200,000 tokens a second. Each policy is set to what the account has, and nothing repeats a call: who is \
refused makes the next one a 60th of a second later. `governor` begins with a full bucket, as the provider does; of \
`throttle-set`, whose burst is a second's worth unless set, that is the whole bucket here. The figures depend on how finely \
timers tick (tokio's: a millisecond) and on what else the machine does, and differ a little from run to run.";
