//! What is said at the end.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;
use trysail::{embeddings::UsageSnapshot, throttle::PaceSnapshot};
use trysail_testkit::server::Stats;

use crate::{calls::Calls, cost::Cost, pace::PaceSummary, sharing::Sharing, tally::Tally};

/// The numbers of a run; `Display` is for people.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    seconds: f64,
    embedded: u64,
    kept: u64,
    failed: u64,
    failed_by_class: BTreeMap<&'static str, u64>,
    requests: u64,
    retries: BTreeMap<&'static str, u64>,
    divided: u64,
    slept_seconds: f64,
    circuit_opened: u64,
    circuit_pauses: u64,
    pace: PaceSummary,
    cost: Cost,
    batch_p50_ms: Option<f64>,
    batch_p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<BTreeMap<&'static str, u64>>,
}

/// What was sent.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) requests: u64,
    /// How many batches were divided.
    pub(crate) divided: u64,
    /// How often the circuit has opened.
    pub(crate) opened: u64,
    pub(crate) pace: PaceSnapshot,
    pub(crate) sharing: Sharing,
    pub(crate) usage: UsageSnapshot,
    /// What the server inside has seen.
    pub(crate) server: Option<Stats>,
}

impl Summary {
    /// Of a run that took `took`.
    pub(crate) fn of(tally: &Tally, calls: &Calls, took: Duration, sent: &Sending) -> Self {
        let ms = |share| calls.latencies.quantile(share).map(|time| time.as_secs_f64() * 1e3);
        Self {
            seconds: took.as_secs_f64(),
            embedded: tally.embedded,
            kept: tally.kept,
            failed: tally.failures(),
            failed_by_class: tally.failed.clone(),
            requests: sent.requests,
            retries: calls.retries.clone(),
            divided: sent.divided,
            slept_seconds: calls.slept.as_secs_f64(),
            circuit_opened: sent.opened,
            circuit_pauses: calls.pauses,
            pace: PaceSummary::of(&sent.pace, sent.sharing),
            cost: Cost::of(&sent.usage),
            batch_p50_ms: ms(0.5),
            batch_p99_ms: ms(0.99),
            faults: sent.server.as_ref().map(|stats| stats.faults.clone()),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = (self.embedded + self.failed) as f64 / self.seconds.max(1e-3);
        write!(f, "lines     {} embedded, {} failed", self.embedded, self.failed)?;
        if self.failed > 0 {
            write!(f, " ({})", list(&self.failed_by_class))?;
        }
        write!(f, " in {:.1} s, {rate:.0} a second", self.seconds)?;
        match self.kept {
            0 => writeln!(f)?,
            kept => writeln!(f, "; {kept} were there")?,
        }
        write!(f, "requests  {}", self.requests)?;
        let retries: u64 = self.retries.values().sum();
        match retries {
            0 => write!(f, ", none of them a retry")?,
            _ => write!(f, ", {retries} of them retries ({})", list(&self.retries))?,
        }
        match self.divided {
            0 => writeln!(f)?,
            1 => writeln!(f, "; one batch was divided")?,
            batches => writeln!(f, "; {batches} batches were divided")?,
        }
        writeln!(f, "waits     {:.1} s between attempts, all batches together", self.slept_seconds)?;
        if let (Some(p50), Some(p99)) = (self.batch_p50_ms, self.batch_p99_ms) {
            writeln!(f, "batches   p50 {}, p99 {}, waits included", time(p50), time(p99))?;
        }
        writeln!(f, "pace      {}", self.pace)?;
        writeln!(f, "cost      {}", self.cost)?;
        match self.circuit_opened {
            0 => write!(f, "circuit   never opened")?,
            times => write!(f, "circuit   opened {times}×, and batches paused {}× for it", self.circuit_pauses)?,
        }
        match &self.faults {
            Some(faults) if !faults.is_empty() => {
                let sum: u64 = faults.values().sum();
                write!(f, "\nfaults    {sum} by the built-in server ({})", list(faults))
            }
            _ => Ok(()),
        }
    }
}

/// The most frequent first.
fn list(counts: &BTreeMap<&'static str, u64>) -> String {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    counts.iter().map(|(name, count)| format!("{name} {count}×")).collect::<Vec<_>>().join(", ")
}

fn time(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}
