//! What the pace of a run is, in words and in numbers.

use std::{fmt, time::Duration};

use serde::Serialize;
use trysail::{
    Rate,
    throttle::{PaceSnapshot, Store},
    verdict::Hold,
};

use crate::sharing::Sharing;

/// What is known of the account's limits, and what it has cost in time; `Display` is for people.
#[derive(Debug, Serialize)]
pub(crate) struct PaceSummary {
    requests_per_minute: Option<f64>,
    tokens_per_minute: Option<f64>,
    learnt_requests_per_minute: Option<f64>,
    learnt_tokens_per_minute: Option<f64>,
    found_requests_per_minute: Option<f64>,
    waits: u64,
    waited_seconds: f64,
    paused_seconds: f64,
    refused: u64,
    /// At the end.
    store: &'static str,
    #[serde(flatten)]
    sharing: Sharing,
}

impl PaceSummary {
    pub(crate) fn of(pace: &PaceSnapshot, sharing: Sharing) -> Self {
        Self {
            requests_per_minute: pace.request_rate().map(a_minute),
            tokens_per_minute: pace.cost_rate().map(a_minute),
            learnt_requests_per_minute: pace.learnt_requests().map(a_minute),
            learnt_tokens_per_minute: pace.learnt_cost().map(a_minute),
            found_requests_per_minute: pace.found().map(a_minute),
            waits: pace.waited(),
            waited_seconds: pace.waited_for().as_secs_f64(),
            paused_seconds: pace.paused_for().as_secs_f64(),
            refused: Hold::ALL.iter().map(|hold| pace.refused(*hold)).sum(),
            store: store(pace.store()),
            sharing,
        }
    }

    /// Where the rate comes from that holds.
    fn origin(&self, holds: Option<f64>, learnt: Option<f64>) -> &'static str {
        match holds {
            _ if holds == learnt => "as the server says",
            _ if holds == self.found_requests_per_minute => "as the server was found to take",
            _ => "as set",
        }
    }
}

impl fmt::Display for PaceSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates = [
            (self.requests_per_minute, self.learnt_requests_per_minute, "requests"),
            (self.tokens_per_minute, self.learnt_tokens_per_minute, "tokens"),
        ];
        let mut said = Vec::new();
        for (holds, learnt, what) in rates {
            if let Some(rate) = holds {
                said.push(format!("{rate:.0} {what} a minute, {}", self.origin(holds, learnt)));
            }
        }
        match said.is_empty() {
            true => write!(f, "no limit was named")?,
            false => write!(f, "{}", said.join("; "))?,
        }
        if self.waits > 0 {
            write!(f, "; {} waits for a turn, {:.1} s all together", self.waits, self.waited_seconds)?;
        }
        if self.paused_seconds > 0.0 {
            write!(f, "; paused for {:.1} s as the server asked", self.paused_seconds)?;
        }
        self.sharing.words().map_or(Ok(()), |words| write!(f, "; {words}"))
    }
}

/// What all batches wait for, and how long still; nothing if none waits for its turn.
pub(crate) fn waits_for(pace: &PaceSnapshot) -> Option<(String, Duration)> {
    if let Some(left) = pace.paused() {
        return Some(("the pause of the server".into(), left));
    }
    let first = pace.first()?;
    let what = match first.hold() {
        Hold::InFlight => match pace.in_flight() {
            Some(most) => format!("one of {most} requests in flight"),
            None => "the requests in flight".into(),
        },
        _ => match (pace.request_rate(), pace.cost_rate()) {
            (Some(rate), tokens) if tokens.is_none() || pace.requests().is_some_and(|left| left < 1.0) => {
                format!("the rate of {:.0} requests a minute", a_minute(rate))
            }
            (_, Some(rate)) => format!("the rate of {:.0} tokens a minute", a_minute(rate)),
            _ => "its turn".into(),
        },
    };
    Some((what, first.retry_after()))
}

const fn store(store: Store) -> &'static str {
    match store {
        Store::Shared => "shared",
        Store::Alone => "alone",
        _ => "own",
    }
}

fn a_minute(rate: Rate) -> f64 {
    rate.within(Duration::from_secs(60))
}
