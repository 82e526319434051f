use std::{
    future::Future,
    io,
    ops::Range,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::Request;
use http_body_util::Full;
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};
use tower::{Layer, Service, ServiceExt};
use trysail::{
    Backoff, Batches, Breaker, BreakerLayer, EmbedRequest, Embeddings, Endpoint, HttpLayer, Idempotent, Preset, Retry,
    RetryLayer, Timeout, TimeoutLayer,
    retry::PerRequest,
    verdict::{Inherit, Scope},
};

use super::{
    ATTEMPT, HORIZON, Policy,
    peers::{self, Peer},
    scenario::{Load, Scenario},
    server::{HttpRequest, HttpResponse, Server},
};
use crate::dice::Dice;

/// What came of one call; times are in seconds from the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) began: f64,
    pub(super) ended: f64,
    pub(super) good: bool,
}

/// Makes so many calls, and says what came of each, and when requests came to the server.
pub(super) async fn make(
    scenario: &Scenario,
    policy: Policy,
    calls: usize,
    seed: u64,
    pace: f64,
) -> (Vec<Call>, Vec<f64>) {
    let server = Server::start(scenario, calls, seed, pace);
    let log = Log { calls: Arc::new(Mutex::new(Vec::new())), server: server.clone(), total: calls };
    let preset = |seed| {
        let preset = match (policy, scenario.load) {
            (Policy::TrysailPatient, _) => Preset::bulk().overall(HELD),
            (_, Load::Closed | Load::Batches) => Preset::bulk(),
            _ => Preset::interactive(),
        };
        preset.attempt(ATTEMPT).seed(seed)
    };
    let seeds = seed..seed + scenario.processes;
    let run = async {
        match (policy, scenario.load) {
            (Policy::Trysail | Policy::TrysailPatient, Load::Batches) => {
                batches(preset(seed).layer(bare(&server)), scenario, &log).await;
            }
            (Policy::Trysail | Policy::TrysailPatient, load) => {
                let calls = seeds.map(|seed| embed(preset(seed).layer(bare(&server))));
                paced(calls.collect(), scenario, load, seed, &log).await;
            }
            (Policy::TrysailWithoutThrottle, load) => {
                let calls = seeds.map(|seed| embed(without_throttle(&preset(seed), bare(&server), seed)));
                paced(calls.collect(), scenario, load, seed, &log).await;
            }
            (_, load) => {
                let calls = seeds.map(|seed| post(peer(policy, &server, seed, pace)));
                paced(calls.collect(), scenario, load, seed, &log).await;
            }
        }
    };
    let longest = calls as f64 / scenario.load.rate() + HORIZON;
    // What is never answered is part of the result.
    let _ = timeout(Duration::from_secs_f64(longest / pace), run).await;
    (log.over(), server.requests())
}

type Bare = Embeddings<trysail::Classify<trysail::Collect<Wire>, trysail::Providers>>;

fn bare(server: &Server) -> Bare {
    let endpoint = Endpoint::openai("http://localhost/v1").expect("a valid URL");
    Embeddings::new(HttpLayer::new().layer(Wire(server.clone())), endpoint)
}

type Unthrottled = Timeout<Retry<Breaker<Timeout<Bare>>, Backoff, Inherit, PerRequest<Idempotent, Duration>>>;

/// What `interactive` makes of it, but for the throttle.
fn without_throttle(preset: &Preset, bare: Bare, seed: u64) -> Unthrottled {
    preset.circuit().update(|settings| settings.fit(ATTEMPT, RETRIES));
    let attempt = TimeoutLayer::new(ATTEMPT).scope(Scope::Attempt).layer(bare);
    let breaker = BreakerLayer::new(preset.circuit().clone()).layer(attempt);
    let retry = RetryLayer::adjustable(preset.retry_settings())
        .replay(Idempotent)
        .within(HELD)
        .budget(preset.budget().clone())
        .seed(seed);
    TimeoutLayer::new(HELD).scope(Scope::Overall).layer(retry.layer(breaker))
}

fn peer(policy: Policy, server: &Server, seed: u64, pace: f64) -> Peer {
    let server = server.clone();
    match policy {
        Policy::ByHand => peers::by_hand(server),
        Policy::Tower => peers::tower(server, seed),
        Policy::TowerResilience => peers::resilience(server),
        Policy::TowerResilienceBreaker => peers::resilience_with_breaker(server, pace),
        Policy::OpenaiPython => peers::openai_python(server, seed),
        Policy::AsyncOpenai => peers::async_openai(server),
        _ => peers::unprotected(server),
    }
}

/// Whether the answer of one call is a success.
type Good = Pin<Box<dyn Future<Output = bool> + Send>>;

/// One call of ours.
fn embed<S>(service: S) -> impl Fn(Vec<String>) -> Good + Clone + Send + 'static
where
    S: Service<EmbedRequest, Future: Send> + Clone + Send + 'static,
{
    move |texts| {
        let call = service.clone().oneshot(EmbedRequest::new("model", texts));
        Box::pin(async move { call.await.is_ok() })
    }
}

/// One call of a peer.
fn post(peer: Peer) -> impl Fn(Vec<String>) -> Good + Clone + Send + 'static {
    move |texts| {
        let body = json!({ "model": "model", "input": texts }).to_string();
        let request = Request::post("http://localhost/v1/embeddings").body(Full::from(body)).expect("a valid request");
        let call = peer.clone().oneshot(request);
        Box::pin(async move { call.await.is_ok_and(|response| response.status().is_success()) })
    }
}

/// Calls as the load has them come, through one process after the other.
async fn paced<F>(processes: Vec<F>, scenario: &Scenario, load: Load, seed: u64, log: &Log)
where
    F: Fn(Vec<String>) -> Good + Clone + Send + 'static,
{
    let mut tasks = JoinSet::new();
    match load {
        Load::Open | Load::Bursts => {
            let (dice, mut at) = (Dice::seeded(seed + 1), 0.0);
            for ordinal in 0..log.total {
                at = if load == Load::Bursts { (ordinal / 100) as f64 * 10.0 } else { at + dice.gap(load.rate()) };
                log.server.sleep_until(at).await;
                log.begin(ordinal);
                let process = &processes[ordinal % processes.len()];
                let (call, log) = (process(scenario.trouble.texts(ordinal..ordinal + 1)), log.clone());
                tasks.spawn(async move { log.end(ordinal..ordinal + 1, call.await) });
            }
        }
        Load::Closed | Load::Batches => {
            let size = if load == Load::Batches { BATCH } else { 1 };
            let next = Arc::new(AtomicUsize::new(0));
            let trouble = scenario.trouble;
            for call in processes.into_iter().cycle().take(PLACES) {
                let (log, next) = (log.clone(), Arc::clone(&next));
                tasks.spawn(async move {
                    loop {
                        let first = next.fetch_add(size, Relaxed);
                        let batch = first..(first + size).min(log.total);
                        if batch.is_empty() {
                            break;
                        }
                        batch.clone().for_each(|ordinal| log.begin(ordinal));
                        let good = call(trouble.texts(batch.clone())).await;
                        log.end(batch, good);
                    }
                });
            }
        }
    }
    tasks.join_all().await;
}

/// All texts through our own batches, which come in order.
async fn batches(service: trysail::Stack<Bare>, scenario: &Scenario, log: &Log) {
    let texts = (0..log.total).map(|ordinal| {
        log.begin(ordinal);
        scenario.trouble.text(ordinal)
    });
    let mut answers = Batches::of("model", texts).count(BATCH).concurrency(PLACES).send(service);
    let mut done = 0;
    while let Some(answer) = answers.next().await {
        let (texts, good) = match answer {
            Ok(answer) => (done..done + answer.len(), true),
            Err(error) => (error.inputs(), false),
        };
        done = texts.end;
        log.end(texts, good);
    }
}

/// What came of the calls until now.
#[derive(Clone)]
struct Log {
    calls: Arc<Mutex<Vec<Call>>>,
    server: Server,
    total: usize,
}

impl Log {
    /// Calls begin in order.
    fn begin(&self, ordinal: usize) {
        let mut calls = self.calls();
        let missing = Call { began: self.server.now(), ended: f64::INFINITY, good: false };
        let length = calls.len().max(ordinal + 1);
        calls.resize(length, missing);
        calls[ordinal] = missing;
    }

    fn end(&self, ordinals: Range<usize>, good: bool) {
        let now = self.server.now();
        for call in self.calls().iter_mut().take(ordinals.end).skip(ordinals.start) {
            *call = Call { ended: now, good, ..*call };
        }
    }

    /// All calls, of which those that have no end yet end now.
    fn over(&self) -> Vec<Call> {
        let now = self.server.now();
        self.calls().iter().map(|call| Call { ended: call.ended.min(now), ..*call }).collect()
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server as a client sees it.
#[derive(Clone, Debug)]
struct Wire(Server);

impl Service<HttpRequest> for Wire {
    type Response = HttpResponse;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<HttpResponse>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.clone().request(request))
    }
}

/// How long a call may take in all, also of `interactive`, unless it is a job's.
const HELD: Duration = Duration::from_secs(60);
/// How often `interactive` repeats.
const RETRIES: u32 = 3;
const PLACES: usize = 4;
const BATCH: usize = 32;
