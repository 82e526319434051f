//! Calls through what people use instead, and what they meet.

mod calls;
mod peers;
mod scenario;
mod server;
#[cfg(test)]
mod tests;

use std::{ops::Range, time::Duration};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use self::{
    calls::Call,
    scenario::{ALL, Load, Scenario, Trouble},
};
use crate::{
    clock,
    storm::{name, rounded},
    table::{self, Table, or_dash},
};

/// What stands between a caller and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// Nothing.
    Unprotected,
    /// A loop: three tries, 200 ms apart, 5 s each.
    ByHand,
    /// tower's retry, backoff and budget around its timeout.
    Tower,
    /// tower-resilience's retry around its time limiter.
    TowerResilience,
    /// The same with its breaker, on the clock of the machine.
    TowerResilienceBreaker,
    /// The rule of the Python client.
    OpenaiPython,
    /// The rule of the crate.
    AsyncOpenai,
    /// A preset: `interactive`, or `bulk` for jobs.
    Trysail,
    /// `bulk` for calls that somebody waits for, up to 60 s.
    TrysailPatient,
    /// `interactive` without its throttle, where a rate is limited.
    TrysailWithoutThrottle,
}

/// Which rows are wanted; all of them where nothing is said.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) calls: usize,
    pub(crate) policy: Option<Policy>,
    pub(crate) scenario: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) policy: Policy,
    pub(crate) calls: usize,
    pub(crate) seed: u64,
    /// Of 1.
    pub(crate) success: f64,
    /// How long a caller waited, for an answer or an error.
    pub(crate) p50_ms: u64,
    pub(crate) p99_ms: u64,
    pub(crate) max_ms: u64,
    pub(crate) requests_per_call: f64,
    /// Requests to a server that was in trouble as a whole.
    pub(crate) dead_requests: Option<usize>,
    /// Of those, the ones that came later than 3 s after the trouble began.
    pub(crate) late_dead_requests: Option<usize>,
    /// Until calls succeed again, after the trouble is over: 19 of the next 20.
    pub(crate) recovery_s: Option<f64>,
    /// Measured on the clock of the machine.
    pub(crate) real_time: bool,
}

impl Choice {
    pub(crate) fn rows(&self, seed: u64) -> Vec<Row> {
        let mut rows = self.virtual_rows(seed);
        if let Some(policy) = self.policies().find(|policy| policy.reads_another_clock()) {
            rows.extend(run_in_real_time(&self.scenarios(), policy, self.calls, seed));
        }
        let place = |row: &Row| ALL.iter().position(|scenario| scenario.name == row.scenario);
        rows.sort_by_key(|row| (place(row), row.policy));
        rows
    }

    /// Without those that have to be waited for.
    pub(crate) fn virtual_rows(&self, seed: u64) -> Vec<Row> {
        let fits = |scenario, policy: &Policy| !policy.reads_another_clock() && policy.fits(scenario);
        self.scenarios()
            .into_iter()
            .flat_map(|scenario| {
                let policies = self.policies().filter(move |policy| fits(scenario, policy));
                policies.map(move |policy| clock::virtually(one(scenario, policy, self.calls, seed, 1.0)))
            })
            .collect()
    }

    fn scenarios(&self) -> Vec<&'static Scenario> {
        ALL.iter().filter(|scenario| self.scenario.as_ref().is_none_or(|name| name == scenario.name)).collect()
    }

    fn policies(&self) -> impl Iterator<Item = Policy> {
        let every = Policy::value_variants().iter().copied();
        every.filter(|policy| self.policy.is_none_or(|wanted| wanted == *policy))
    }
}

impl Policy {
    pub(crate) const fn reads_another_clock(self) -> bool {
        matches!(self, Self::TowerResilienceBreaker)
    }

    pub(crate) const fn is_ours(self) -> bool {
        matches!(self, Self::Trysail | Self::TrysailPatient | Self::TrysailWithoutThrottle)
    }

    /// A job is patient anyhow, and the throttle lets everything go where nothing is limited.
    fn fits(self, scenario: &Scenario) -> bool {
        match self {
            Self::TrysailPatient => matches!(scenario.load, Load::Open | Load::Bursts),
            Self::TrysailWithoutThrottle => matches!(scenario.trouble, Trouble::RateLimit { .. }),
            _ => true,
        }
    }
}

/// All scenarios at once, since they have to be waited for.
fn run_in_real_time(scenarios: &[&'static Scenario], policy: Policy, calls: usize, seed: u64) -> Vec<Row> {
    clock::really(async {
        let run = |scenario| tokio::spawn(one(scenario, policy, calls, seed, PACE));
        let runs: Vec<_> = scenarios.iter().map(|scenario| run(*scenario)).collect();
        let mut rows = Vec::new();
        for run in runs {
            rows.push(run.await.expect("no run panics"));
        }
        rows
    })
}

/// Requests a second from 10 s before the outage to 60 s after it began.
pub(crate) fn outage(policy: Policy, seed: u64) -> (f64, Vec<f64>) {
    let (calls, from) = (1_500, -10.0);
    let scenario = ALL.iter().find(|scenario| scenario.name == "outage").expect("there is one");
    let (_, requests) = clock::virtually(calls::make(scenario, policy, calls, seed, 1.0));
    let starts = scenario.span(calls).map_or(0.0, |span| span.start);
    let mut seconds = vec![0.0; 70];
    for at in requests {
        let second = at - starts - from;
        if let Some(count) = seconds.get_mut(second as usize).filter(|_| second >= 0.0) {
            *count += 1.0;
        }
    }
    (from, seconds)
}

async fn one(scenario: &Scenario, policy: Policy, calls: usize, seed: u64, pace: f64) -> Row {
    let (made, requests) = calls::make(scenario, policy, calls, seed, pace).await;
    row(scenario, policy, seed, &made, &requests)
}

fn row(scenario: &Scenario, policy: Policy, seed: u64, calls: &[Call], requests: &[f64]) -> Row {
    let mut waits: Vec<_> = calls.iter().map(|call| call.ended - call.began).collect();
    waits.sort_by(f64::total_cmp);
    let wait = |share: f64| (waits[((waits.len() - 1) as f64 * share).round() as usize] * 1_000.0).round() as u64;
    let span = scenario.span(calls.len());
    let within = |after: f64| {
        span.as_ref().map(|span| requests.iter().filter(|at| (span.start + after..span.end).contains(at)).count())
    };
    Row {
        scenario: scenario.name.to_owned(),
        policy,
        calls: calls.len(),
        seed,
        success: rounded(calls.iter().filter(|call| call.good).count() as f64 / calls.len() as f64, 5),
        p50_ms: wait(0.5),
        p99_ms: wait(0.99),
        max_ms: wait(1.0),
        requests_per_call: rounded(requests.len() as f64 / calls.len() as f64, 4),
        dead_requests: within(0.0),
        late_dead_requests: within(LATE),
        recovery_s: span.and_then(|span| recovery(calls, &span)),
        real_time: policy.reads_another_clock(),
    }
}

/// From the end of the trouble to the first good answer of which 19 of the next 20 are as good.
fn recovery(calls: &[Call], span: &Range<f64>) -> Option<f64> {
    let mut after: Vec<_> = calls.iter().filter(|call| call.ended >= span.end).collect();
    after.sort_by(|one, other| one.ended.total_cmp(&other.ended));
    let recovered =
        after.windows(20).find(|next| next[0].good && next.iter().filter(|call| call.good).count() >= 19)?;
    Some(rounded(recovered[0].ended - span.end, 1))
}

impl table::Row for Row {
    const COLUMNS: &'static [&'static str] = &[
        "policy",
        "success, %",
        "p50, s",
        "p99, s",
        "max, s",
        "requests a call",
        "requests to a dead server",
        "after its first 3 s",
        "recovers after, s",
    ];

    fn cells(&self) -> Vec<String> {
        let seconds = |ms: u64| format!("{:.2}", ms as f64 / 1_000.0);
        vec![
            name(self.policy) + if self.real_time { " *" } else { "" },
            format!("{:.2}", self.success * 100.0),
            seconds(self.p50_ms),
            seconds(self.p99_ms),
            seconds(self.max_ms),
            format!("{:.3}", self.requests_per_call),
            or_dash(self.dead_requests),
            or_dash(self.late_dead_requests),
            or_dash(self.recovery_s),
        ]
    }
}

/// A table for each scenario.
pub(crate) fn tables(rows: &[Row]) -> Vec<Table> {
    let of = |scenario: &Scenario| rows.iter().filter(|row| row.scenario == scenario.name).collect::<Vec<_>>();
    ALL.iter()
        .map(|scenario| (scenario, of(scenario)))
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(scenario, rows)| {
            Table::new(&format!("Faults: {}", scenario.name), &format!("{}.", scenario.about), rows)
        })
        .collect()
}

pub(crate) const CALLS: usize = 10_000;
/// How long an attempt may take, of every policy that limits it.
const ATTEMPT: Duration = Duration::from_secs(5);
/// How long what is still waiting in the end is waited for, in seconds.
const HORIZON: f64 = 600.0;
const LATE: f64 = 3.0;
/// How many times faster it goes on the clock of the machine.
const PACE: f64 = 20.0;
