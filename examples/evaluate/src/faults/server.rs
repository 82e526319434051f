use std::{
    future::{Pending, pending},
    io,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{self, Instant, Sleep};
use trysail_testkit::{Plan, faults::Fault};

use super::scenario::{Scenario, Trouble};
use crate::dice::Dice;

pub(crate) type HttpRequest = Request<Full<Bytes>>;
pub(crate) type HttpResponse = Response<Full<Bytes>>;

/// An embedding server, as far as its callers see it.
#[derive(Clone, Debug)]
pub(crate) struct Server(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    trouble: Trouble,
    plan: Plan,
    /// When it is in trouble as a whole.
    span: Option<Range<f64>>,
    began: Instant,
    /// How many of its seconds pass in one of the clock's.
    pace: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    dice: Dice,
    /// When each request came.
    came: Vec<f64>,
    tokens: f64,
    filled: f64,
    workers: Vec<f64>,
}

#[derive(Deserialize)]
struct Asked {
    input: Vec<String>,
}

impl Server {
    pub(crate) fn start(scenario: &Scenario, calls: usize, seed: u64, pace: f64) -> Self {
        let plan: Plan = scenario.plan.parse().expect("the plans of the scenarios are valid");
        let tokens = if let Trouble::RateLimit { burst, .. } = scenario.trouble { burst } else { 0.0 };
        let state =
            State { dice: Dice::seeded(seed), came: Vec::new(), tokens, filled: 0.0, workers: vec![0.0; WORKERS] };
        Self(Arc::new(Inner {
            trouble: scenario.trouble,
            plan: plan.seeded(seed),
            span: scenario.span(calls),
            began: Instant::now(),
            pace,
            state: Mutex::new(state),
        }))
    }

    /// When each request came, in seconds from the start.
    pub(crate) fn requests(&self) -> Vec<f64> {
        self.state().came.clone()
    }

    /// Seconds since the start.
    pub(crate) fn now(&self) -> f64 {
        self.0.began.elapsed().as_secs_f64() * self.0.pace
    }

    pub(crate) fn sleep(&self, seconds: f64) -> Sleep {
        time::sleep(Duration::from_secs_f64(seconds / self.0.pace))
    }

    pub(crate) fn sleep_until(&self, at: f64) -> Sleep {
        time::sleep_until(self.0.began + Duration::from_secs_f64(at / self.0.pace))
    }

    pub(crate) async fn request(self, request: HttpRequest) -> io::Result<HttpResponse> {
        let at = self.now();
        let ordinal = {
            let mut state = self.state();
            state.came.push(at);
            state.came.len() as u64 - 1
        };
        if let Some(refusal) = self.whole(at) {
            self.sleep(REFUSAL).await;
            return refusal;
        }
        self.sleep(self.work(at)).await;
        match self.0.plan.fault(ordinal) {
            Some(Fault::Hang) => never().await,
            Some(Fault::Reset) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(Fault::Status(status)) => Ok(complaint(status, "server_error", None, "The server had an error.")),
            _ => answer(request).await,
        }
    }

    /// What it says to everybody at that time.
    fn whole(&self, at: f64) -> Option<io::Result<HttpResponse>> {
        let refused = || Some(Err(io::ErrorKind::ConnectionRefused.into()));
        let within = self.0.span.as_ref().filter(|span| span.contains(&at));
        match (self.0.trouble, within) {
            (Trouble::RateLimit { a_second, burst, hints }, _) => {
                let wait = self.state().take(at, a_second, burst)?;
                let mut response = complaint(429, "requests", Some("rate_limit_exceeded"), "Rate limit reached.");
                if hints {
                    let headers = response.headers_mut();
                    headers.insert("retry-after-ms", ((wait * 1_000.0).ceil() as u64).into());
                    headers.insert("retry-after", (wait.ceil() as u64).into());
                }
                Some(Ok(response))
            }
            (Trouble::Outage { .. }, Some(_)) => refused(),
            (Trouble::Restart { down, .. }, Some(span)) if at < span.start + down => refused(),
            (Trouble::Restart { .. }, Some(_)) => Some(Ok(complaint(503, "unavailable_error", None, "Loading model"))),
            (Trouble::Quota { .. }, Some(_)) => Some(Ok(complaint(
                429,
                "insufficient_quota",
                Some("insufficient_quota"),
                "You exceeded your current quota.",
            ))),
            _ => None,
        }
    }

    /// How long this request takes.
    fn work(&self, at: f64) -> f64 {
        let mut state = self.state();
        if let Trouble::Slow { takes, .. } = self.0.trouble {
            let span = self.0.span.clone().unwrap_or_default();
            let Some(worker) = state.workers.iter_mut().min_by(|one, other| one.total_cmp(other)) else { return 0.0 };
            let starts = worker.max(at);
            *worker = starts + if span.contains(&starts) { takes } else { MEAN };
            return *worker - at;
        }
        LEAST + (MEAN - LEAST) * state.dice.gap(1.0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long to wait for the next token, if there is none.
    fn take(&mut self, at: f64, a_second: f64, burst: f64) -> Option<f64> {
        self.tokens = (self.tokens + (at - self.filled) * a_second).min(burst);
        self.filled = at;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return None;
        }
        Some((1.0 - self.tokens) / a_second)
    }
}

fn never() -> Pending<io::Result<HttpResponse>> {
    pending()
}

/// As OpenAI says it.
fn complaint(status: u16, kind: &str, code: Option<&str>, message: &str) -> HttpResponse {
    let error = json!({ "error": { "message": message, "type": kind, "param": null, "code": code } });
    json_response(StatusCode::from_u16(status).unwrap_or_default(), &error)
}

async fn answer(request: HttpRequest) -> io::Result<HttpResponse> {
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let Asked { input } = serde_json::from_slice(&body)?;
    if input.iter().any(|text| text.contains(CRASHES)) {
        return Ok(complaint(500, "server_error", None, "The server had an error."));
    }
    if input.iter().any(|text| text.contains(REFUSED)) {
        let message = "This model's maximum context length is 8192 tokens.";
        return Ok(complaint(400, "invalid_request_error", Some("context_length_exceeded"), message));
    }
    let entry = |index| json!({ "object": "embedding", "index": index, "embedding": [0.6, 0.8] });
    let data: Vec<_> = (0..input.len()).map(entry).collect();
    let usage = json!({ "prompt_tokens": input.len(), "total_tokens": input.len() });
    Ok(json_response(StatusCode::OK, &json!({ "object": "list", "data": data, "model": "model", "usage": usage })))
}

fn json_response(status: StatusCode, body: &serde_json::Value) -> HttpResponse {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}

/// Marks of texts.
pub(super) const CRASHES: &str = "crashes";
pub(super) const REFUSED: &str = "too long";

const WORKERS: usize = 8;
/// How long a request takes, in seconds.
const REFUSAL: f64 = 0.001;
const LEAST: f64 = 0.02;
const MEAN: f64 = 0.05;
