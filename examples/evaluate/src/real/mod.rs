//! Over loopback sockets, beside the real programs of others.

mod peer;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::{
    io::AsyncWriteExt,
    net::TcpListener,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tower::{Layer, Service, ServiceExt};
use trysail::{EmbedRequest, Embeddings, Endpoint, Preset};
use trysail_testkit::{EmbeddingServer, Plan};

use self::peer::Peers;
use crate::{
    dice::Dice,
    storm::{name, rounded},
    table::{self, Table},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// The Python client as it is installed, with 5 s for an attempt.
    Openai,
    /// litellm's proxy with three retries, before a caller that does not repeat.
    Litellm,
    /// Envoy with its retry policy, its backoff after rate limits and its retry budget, before such a caller.
    Envoy,
    Trysail,
    TrysailPatient,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) plan: String,
    pub(crate) policy: Policy,
    pub(crate) calls: usize,
    pub(crate) seed: u64,
    pub(crate) success: f64,
    pub(crate) p50_ms: u64,
    pub(crate) p99_ms: u64,
    pub(crate) max_ms: u64,
    pub(crate) requests_per_call: f64,
}

/// When a call began and ended, in seconds, and whether it was answered.
type Call = (f64, f64, bool);

/// Every policy under every plan, all policies at the same time.
pub(crate) async fn rows(calls: usize, seed: u64) -> Result<Vec<Row>, String> {
    let peers = Arc::new(Peers::install().await);
    let dice = Dice::seeded(seed);
    let mut at = 0.0;
    let arrivals: Arc<Vec<f64>> = Arc::new(
        (0..calls)
            .map(|_| {
                at += dice.gap(CALLS_A_SECOND);
                at
            })
            .collect(),
    );
    let mut rows = Vec::new();
    for plan in PLANS {
        let mut runs = JoinSet::new();
        for &policy in Policy::value_variants().iter().filter(|policy| policy.is_there(&peers)) {
            runs.spawn(run(policy, plan, Arc::clone(&arrivals), seed, Arc::clone(&peers)));
        }
        let mut beside = Vec::new();
        while let Some(run) = runs.join_next().await {
            match run.map_err(|error| error.to_string())? {
                Ok(row) => beside.push(row),
                Err(problem) => eprintln!("SKIPPED: {problem}"),
            }
        }
        beside.sort_by_key(|row| row.policy as u8);
        rows.extend(beside);
    }
    Ok(rows)
}

impl Policy {
    pub(crate) const fn is_ours(self) -> bool {
        matches!(self, Self::Trysail | Self::TrysailPatient)
    }

    fn is_there(self, peers: &Peers) -> bool {
        match self {
            Self::Openai => peers.has("openai"),
            Self::Litellm => peers.has("litellm"),
            Self::Envoy => peers.has("envoy"),
            Self::Trysail | Self::TrysailPatient => true,
        }
    }
}

async fn run(policy: Policy, plan: &str, arrivals: Arc<Vec<f64>>, seed: u64, peers: Arc<Peers>) -> Result<Row, String> {
    let told = |error: io::Error| format!("{}: {error}", name(policy));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, peer::free_port()?));
    // A proxy takes its time to start, and outages are counted from when the server does.
    let proxy = match policy {
        Policy::Litellm => Some(peers.proxy("litellm", include_str!("litellm.yaml"), address).await?),
        Policy::Envoy => Some(peers.proxy("envoy", include_str!("envoy.yaml"), address).await?),
        _ => None,
    };
    let faults: Plan = plan.parse().map_err(|error| format!("{plan}: {error}"))?;
    let server = EmbeddingServer::new().model(MODEL).faults(faults.seeded(seed));
    let server = server.serve(TcpListener::bind(address).await.map_err(told)?).map_err(told)?;
    let url = proxy.as_ref().map_or_else(|| server.url(), |proxy| proxy.url.clone());
    let endpoint = Endpoint::openai(&url).map_err(|error| error.to_string())?;
    let bare = Embeddings::new(trysail::client(), endpoint);
    let calls = match policy {
        Policy::Openai => python(&peers, &url, &arrivals).await.map_err(told)?,
        Policy::Litellm | Policy::Envoy => drive(bare, &arrivals).await,
        Policy::Trysail => drive(Preset::interactive().attempt(ATTEMPT).layer(bare), &arrivals).await,
        Policy::TrysailPatient => {
            let preset = Preset::bulk().overall(Duration::from_secs(60)).attempt(ATTEMPT);
            drive(preset.layer(bare), &arrivals).await
        }
    };
    if calls.len() != arrivals.len() {
        return Err(format!("{}: {} of {} calls came to an end", name(policy), calls.len(), arrivals.len()));
    }
    Ok(row(policy, plan, seed, &calls, server.stats().requests))
}

async fn drive<S>(service: S, arrivals: &[f64]) -> Vec<Call>
where
    S: Service<EmbedRequest, Future: Send, Error: Send, Response: Send> + Clone + Send + 'static,
{
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for (ordinal, at) in arrivals.iter().enumerate() {
        let (service, due) = (service.clone(), began + Duration::from_secs_f64(*at));
        tasks.spawn(async move {
            sleep_until(due).await;
            let start = began.elapsed();
            let good = service.oneshot(EmbedRequest::new(MODEL, [format!("line {ordinal}")])).await.is_ok();
            (start.as_secs_f64(), began.elapsed().as_secs_f64(), good)
        });
    }
    tasks.join_all().await
}

async fn python(peers: &Peers, url: &str, arrivals: &[f64]) -> io::Result<Vec<Call>> {
    let script = peer::script(peers, "client.py", include_str!("client.py")).map_err(io::Error::other)?;
    let mut command = peers.python();
    command.arg(script).arg(url).arg(ATTEMPT.as_secs_f64().to_string()).kill_on_drop(true);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&serde_json::to_vec(arrivals)?).await?;
    }
    let output = child.wait_with_output().await?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn row(policy: Policy, plan: &str, seed: u64, calls: &[Call], requests: u64) -> Row {
    let mut waits: Vec<_> = calls.iter().map(|(began, ended, _)| ended - began).collect();
    waits.sort_by(f64::total_cmp);
    let wait = |share: f64| (waits[((waits.len() - 1) as f64 * share).round() as usize] * 1_000.0).round() as u64;
    Row {
        plan: plan.to_owned(),
        policy,
        calls: calls.len(),
        seed,
        success: rounded(calls.iter().filter(|(_, _, good)| *good).count() as f64 / calls.len() as f64, 4),
        p50_ms: wait(0.5),
        p99_ms: wait(0.99),
        max_ms: wait(1.0),
        requests_per_call: rounded(requests as f64 / calls.len() as f64, 3),
    }
}

impl table::Row for Row {
    const COLUMNS: &'static [&'static str] =
        &["faults", "policy", "success, %", "p50, s", "p99, s", "max, s", "requests a call"];

    fn cells(&self) -> Vec<String> {
        let seconds = |ms: u64| format!("{:.3}", ms as f64 / 1_000.0);
        vec![
            format!("`{}`", self.plan),
            name(self.policy),
            format!("{:.2}", self.success * 100.0),
            seconds(self.p50_ms),
            seconds(self.p99_ms),
            seconds(self.max_ms),
            format!("{:.3}", self.requests_per_call),
        ]
    }
}

pub(crate) fn table(rows: &[Row]) -> Table {
    Table::new("Faults, for real", ABOUT, rows)
}

const ABOUT: &str = "\
Over loopback sockets, in real time: the server that is built in, with the same faults from the same seed for each; twenty \
calls a second that come by themselves. `openai` is the Python client as PyPI has it; `litellm` is its proxy and `envoy` is \
Envoy, both before a caller that does not repeat. Three retries, the client's two; 5 s for an attempt.";

pub(crate) const CALLS: usize = 400;
const CALLS_A_SECOND: f64 = 20.0;
const ATTEMPT: Duration = Duration::from_secs(5);
const MODEL: &str = "text-embedding-3-small";
/// As the testkit writes them.
const PLANS: [&str; 6] = [
    "503:4,500:3,reset:3",
    "503:10,500:10,reset:10",
    "hang:3",
    "429=1s:25",
    "truncated:4,wrong-count:4,nan:4",
    "down:5s@5s",
];
