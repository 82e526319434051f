//! A recorded trace against other settings: what would have become of its calls.

#[cfg(test)]
mod tests;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    future::pending,
    io,
    path::Path,
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::{Request, Response};
use serde::Serialize;
use tokio::{
    task::LocalSet,
    time::{self, Instant},
};
use tower::{Layer, Service, ServiceExt, service_fn};
use trysail::{
    Class, Failure, Preset, Verdict,
    record::{Exchange, Stage},
};

use crate::{
    clock,
    storm::{name, rounded},
    table::{self, Table},
};

/// Calls as they came, and what their server answered around each moment.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    calls: Vec<(Duration, Rc<str>)>,
    attempts: HashMap<Rc<str>, Rc<BTreeMap<Duration, Exchange>>>,
}

/// The settings to try.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Whether a call fails fast, or waits for an open circuit and for the budget
    #[arg(long, value_enum, default_value_t = Kind::Interactive)]
    preset: Kind,
    /// Retries at most
    #[arg(long, default_value_t = 3)]
    retries: u32,
    /// Limit of one attempt, in seconds
    #[arg(long, default_value_t = 20.0)]
    attempt: f64,
    /// Limit of a call, in seconds
    #[arg(long, default_value_t = 60.0)]
    overall: f64,
    /// Leaves the circuit closed, whatever happens
    #[arg(long)]
    no_circuit: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Interactive,
    Bulk,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    preset: Kind,
    retries: u32,
    attempt_s: f64,
    overall_s: f64,
    circuit: bool,
    calls: usize,
    success: f64,
    requests_per_call: f64,
    p50_ms: u64,
    p99_ms: u64,
    max_ms: u64,
}

impl Trace {
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        Self::parse(&text).map_err(|problem| format!("{}: {problem}", file.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (mut calls, mut attempts) = (Vec::new(), HashMap::<Rc<str>, BTreeMap<_, _>>::new());
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let exchange: Exchange = line.parse().map_err(|error| format!("line {}: {error}", number + 1))?;
            let key: Rc<str> = exchange.key().into();
            match exchange.stage() {
                Stage::Call => calls.push((exchange.at(), key)),
                Stage::Attempt => {
                    let attempts = attempts.entry(key).or_default();
                    let mut at = exchange.at();
                    // A line has microseconds; several attempts of one are told apart by the rest.
                    while attempts.contains_key(&at) {
                        at += Duration::from_nanos(1);
                    }
                    attempts.insert(at, exchange);
                }
            }
        }
        calls.sort();
        match calls.iter().find(|(_, key)| !attempts.contains_key(key)) {
            _ if calls.is_empty() => Err("there are no calls in it: the recorder's upper layer is missing".to_owned()),
            Some((_, key)) => {
                Err(format!("there are calls to {key} in it, and no attempt: was the server ever asked?"))
            }
            None => {
                let attempts = attempts.into_iter().map(|(key, attempts)| (key, Rc::new(attempts))).collect();
                Ok(Self { calls, attempts })
            }
        }
    }

    /// What would have become of the calls.
    pub(crate) fn replay(&self, settings: Settings, seed: u64) -> Row {
        clock::virtually(LocalSet::new().run_until(self.run(settings, seed)))
    }

    async fn run(&self, settings: Settings, seed: u64) -> Row {
        let began = Instant::now();
        let requests = Rc::new(Cell::new(0_usize));
        let services: HashMap<_, _> = self
            .attempts
            .iter()
            .map(|(key, attempts)| {
                let (attempts, requests) = (Rc::clone(attempts), Rc::clone(&requests));
                (Rc::clone(key), settings.preset(seed).layer(server(attempts, began, requests)))
            })
            .collect();
        let mut calls = Vec::new();
        for (at, key) in &self.calls {
            time::sleep_until(began + *at).await;
            let call = services[key].clone().oneshot(Request::new(Rc::default()));
            calls.push(tokio::task::spawn_local(async move {
                let began = Instant::now();
                let good = call.await.is_ok();
                (began.elapsed(), good)
            }));
        }
        let (mut waits, mut good) = (Vec::new(), 0);
        for call in calls {
            let (wait, answered) = call.await.expect("no call panics");
            waits.push(wait);
            good += usize::from(answered);
        }
        waits.sort();
        let count = waits.len();
        let wait = |share: f64| waits[((count - 1) as f64 * share).round() as usize].as_millis() as u64;
        Row {
            preset: settings.preset,
            retries: settings.retries,
            attempt_s: settings.attempt,
            overall_s: settings.overall,
            circuit: !settings.no_circuit,
            calls: count,
            success: rounded(good as f64 / count as f64, 5),
            requests_per_call: rounded(requests.get() as f64 / count as f64, 4),
            p50_ms: wait(0.5),
            p99_ms: wait(0.99),
            max_ms: wait(1.0),
        }
    }

    /// A few limits and numbers of retries, without those to which another is better in every respect.
    pub(crate) fn sweep(&self, settings: Settings, seed: u64) -> Vec<Row> {
        let mut rows = Vec::new();
        for preset in [Kind::Interactive, Kind::Bulk] {
            for attempt in ATTEMPTS.into_iter().filter(|attempt| *attempt <= settings.overall) {
                for retries in RETRIES {
                    rows.push(self.replay(Settings { preset, attempt, retries, ..settings }, seed));
                }
            }
        }
        frontier(rows)
    }
}

fn frontier(rows: Vec<Row>) -> Vec<Row> {
    let mut best: Vec<_> = rows.iter().filter(|row| !rows.iter().any(|other| other.beats(row))).cloned().collect();
    best.sort_by(|one, other| other.success.total_cmp(&one.success).then(one.p99_ms.cmp(&other.p99_ms)));
    best.dedup_by(|later, earlier| later.figures() == earlier.figures());
    best
}

impl Settings {
    fn preset(self, seed: u64) -> Preset {
        let preset = match self.preset {
            Kind::Interactive => Preset::interactive(),
            Kind::Bulk => Preset::bulk(),
        };
        let limit = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST);
        let preset = preset.attempt(limit(self.attempt)).overall(limit(self.overall)).retries(self.retries).seed(seed);
        if self.no_circuit {
            preset.circuit().disable();
        }
        preset
    }
}

impl Row {
    fn figures(&self) -> (u64, u64, u64) {
        let millionths = |figure: f64| (figure * 1e6) as u64;
        (millionths(self.success), millionths(self.requests_per_call), self.p99_ms)
    }

    /// As good in every respect, and better in one.
    fn beats(&self, other: &Self) -> bool {
        let ((success, requests, wait), (their_success, their_requests, their_wait)) =
            (self.figures(), other.figures());
        success >= their_success
            && requests <= their_requests
            && wait <= their_wait
            && self.figures() != other.figures()
    }
}

/// A call, with what has answered it already: the retry of an error that came by itself does not meet it again.
type Asking = Request<Rc<RefCell<BTreeSet<Duration>>>>;
type Judged = Failure<Response<Bytes>, io::Error>;

/// Answers as it did to the attempt that was nearest in time, each call by another.
fn server(
    attempts: Rc<BTreeMap<Duration, Exchange>>,
    began: Instant,
    requests: Rc<Cell<usize>>,
) -> impl Service<Asking, Response = (), Error = Judged, Future: 'static> + Clone {
    service_fn(move |asking: Asking| {
        requests.set(requests.get() + 1);
        let (now, mut met) = (began.elapsed(), asking.body().borrow_mut());
        let before = attempts.range(..=now).rev().find(|(at, _)| !met.contains(at));
        let after = attempts.range(now..).find(|(at, _)| !met.contains(at));
        let near = [before, after].into_iter().flatten().min_by_key(|(at, _)| at.abs_diff(now));
        let (class, latency, hint) = near.map_or((None, Duration::ZERO, None), |(at, exchange)| {
            met.insert(*at);
            (exchange.class(), exchange.latency(), exchange.retry_after())
        });
        async move {
            // Nobody knows when it would have been answered.
            let Some(class) = class else { return pending().await };
            time::sleep(latency).await;
            let Some(verdict) = verdict(class) else { return Ok(()) };
            let verdict = hint.map_or(verdict, |hint| verdict.after(hint));
            Err(Judged::unanswered(verdict, io::ErrorKind::Other.into()))
        }
    })
}

const fn verdict(class: Class) -> Option<Verdict> {
    match class {
        Class::Success => None,
        Class::Throttled => Some(Verdict::THROTTLED),
        Class::QuotaExhausted => Some(Verdict::QUOTA_EXHAUSTED),
        Class::Auth => Some(Verdict::AUTH),
        Class::Permanent => Some(Verdict::PERMANENT),
        Class::Malformed => Some(Verdict::MALFORMED),
        Class::Warming => Some(Verdict::WARMING),
        Class::Refused => Some(Verdict::REFUSED),
        _ => Some(Verdict::TRANSIENT),
    }
}

impl table::Row for Row {
    const COLUMNS: &'static [&'static str] = &[
        "preset",
        "retries",
        "attempt, s",
        "overall, s",
        "circuit",
        "success, %",
        "requests a call",
        "p50, s",
        "p99, s",
        "max, s",
    ];

    fn cells(&self) -> Vec<String> {
        let seconds = |ms: u64| format!("{:.2}", ms as f64 / 1_000.0);
        vec![
            name(self.preset),
            self.retries.to_string(),
            self.attempt_s.to_string(),
            self.overall_s.to_string(),
            if self.circuit { "yes" } else { "no" }.to_owned(),
            format!("{:.2}", self.success * 100.0),
            format!("{:.3}", self.requests_per_call),
            seconds(self.p50_ms),
            seconds(self.p99_ms),
            seconds(self.max_ms),
        ]
    }
}

pub(crate) fn table(rows: &[Row]) -> Table {
    Table::new("Replay: what would have become of these calls?", ABOUT, rows)
}

const ABOUT: &str = "\
The calls come when they came. An attempt is answered as the recorded one of the same key that was nearest in time and \
has not answered the same call before; one that was dropped then is never answered. The server does not feel how often it is asked, so an overload that more retries \
would make is not seen.";

const ATTEMPTS: [f64; 5] = [1.0, 2.0, 5.0, 10.0, 20.0];
const RETRIES: [u32; 5] = [0, 1, 2, 3, 6];
/// A year.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);
