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
use trysail::{Batches, EmbedRequest, Embeddings, Endpoint, HttpLayer, Preset};

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
    let preset = match (policy, scenario.load) {
        (Policy::TrysailPatient, _) => Preset::bulk().overall(HELD),
        (_, Load::Closed | Load::Batches) => Preset::bulk(),
        _ => Preset::interactive(),
    };
    let service = ours(preset, &server, seed);
    let run = async {
        match (policy, scenario.load) {
            (ours, Load::Batches) if ours.is_ours() => batches(service, scenario, &log).await,
            (ours, load) if ours.is_ours() => {
                let call = move |texts| {
                    let call = service.clone().oneshot(EmbedRequest::new("model", texts));
                    async move { call.await.is_ok() }
                };
                paced(call, scenario, load, seed, &log).await;
            }
            (_, load) => paced(post(peer(policy, &server, seed, pace)), scenario, load, seed, &log).await,
        }
    };
    let longest = calls as f64 / scenario.load.rate() + HORIZON;
    // What is never answered is part of the result.
    let _ = timeout(Duration::from_secs_f64(longest / pace), run).await;
    (log.over(), server.requests())
}

type Stack = trysail::Stack<Embeddings<trysail::Classify<trysail::Collect<Wire>, trysail::Providers>>>;

fn ours(preset: Preset, server: &Server, seed: u64) -> Stack {
    let endpoint = Endpoint::openai("http://localhost/v1").expect("a valid URL");
    let http = HttpLayer::new().layer(Wire(server.clone()));
    preset.attempt(ATTEMPT).seed(seed).layer(Embeddings::new(http, endpoint))
}

fn peer(policy: Policy, server: &Server, seed: u64, pace: f64) -> Peer {
    let server = server.clone();
    match policy {
        Policy::Unprotected | Policy::Trysail | Policy::TrysailPatient => peers::unprotected(server),
        Policy::ByHand => peers::by_hand(server),
        Policy::Tower => peers::tower(server, seed),
        Policy::TowerResilience => peers::resilience(server),
        Policy::TowerResilienceBreaker => peers::resilience_with_breaker(server, pace),
        Policy::OpenaiPython => peers::openai_python(server, seed),
        Policy::AsyncOpenai => peers::async_openai(server),
    }
}

/// One call of a peer: whether its answer is a success.
fn post(peer: Peer) -> impl Fn(Vec<String>) -> Pin<Box<dyn Future<Output = bool> + Send>> + Clone + Send + 'static {
    move |texts| {
        let body = json!({ "model": "model", "input": texts }).to_string();
        let request = Request::post("http://localhost/v1/embeddings").body(Full::from(body)).expect("a valid request");
        let call = peer.clone().oneshot(request);
        Box::pin(async move { call.await.is_ok_and(|response| response.status().is_success()) })
    }
}

/// Calls as the load has them come.
async fn paced<F>(
    call: impl Fn(Vec<String>) -> F + Clone + Send + 'static,
    scenario: &Scenario,
    load: Load,
    seed: u64,
    log: &Log,
) where
    F: Future<Output = bool> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    match load {
        Load::Open | Load::Bursts => {
            let (dice, mut at) = (Dice::seeded(seed + 1), 0.0);
            for ordinal in 0..log.total {
                at = if load == Load::Bursts { (ordinal / 100) as f64 * 10.0 } else { at + dice.gap(load.rate()) };
                log.server.sleep_until(at).await;
                log.begin(ordinal);
                let (call, log) = (call(scenario.trouble.texts(ordinal..ordinal + 1)), log.clone());
                tasks.spawn(async move { log.end(ordinal..ordinal + 1, call.await) });
            }
        }
        Load::Closed | Load::Batches => {
            let size = if load == Load::Batches { BATCH } else { 1 };
            let next = Arc::new(AtomicUsize::new(0));
            let trouble = scenario.trouble;
            for _ in 0..PLACES {
                let (call, log, next) = (call.clone(), log.clone(), Arc::clone(&next));
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
async fn batches(service: Stack, scenario: &Scenario, log: &Log) {
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

/// How long a caller holds out who is patient.
const HELD: Duration = Duration::from_secs(60);
const PLACES: usize = 4;
const BATCH: usize = 32;
