//! A server in virtual time that some inputs are poison for.

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tower::Service;
use trysail::Deadline;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What is wrong with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Refused,
    Unprocessable,
    TooLarge,
    TooLong,
    Broken,
    HangsUp,
    Hangs,
    Null,
    Empty,
    Zero,
    Dimension,
    Short,
}

/// How much is taken at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    None,
    Named(usize),
    /// Refused without a word about why.
    Silent(usize),
    /// More takes longer than anybody waits.
    Slow(usize),
}

#[derive(Clone)]
pub(crate) struct Server {
    limit: Limit,
    poison: Arc<BTreeMap<usize, Fault>>,
    down: Range<Duration>,
    flaky: u64,
    /// It refuses to answer in base64, and does not say that it is that.
    numbers_only: bool,
    started: Instant,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    sizes: Vec<usize>,
    forms: Vec<String>,
    /// Requests that came with no time left.
    late: usize,
    answered: usize,
    last: Duration,
    silence: Duration,
}

impl Fault {
    pub(crate) const ALL: [Self; 12] = [
        Self::Refused,
        Self::Unprocessable,
        Self::TooLarge,
        Self::TooLong,
        Self::Broken,
        Self::HangsUp,
        Self::Hangs,
        Self::Null,
        Self::Empty,
        Self::Zero,
        Self::Dimension,
        Self::Short,
    ];

    /// Whether one attempt is enough to know.
    pub(crate) const fn is_refused(self) -> bool {
        matches!(self, Self::Refused | Self::Unprocessable | Self::TooLarge | Self::TooLong)
    }
}

impl Limit {
    pub(crate) const fn most(self) -> usize {
        match self {
            Self::None => usize::MAX,
            Self::Named(most) | Self::Silent(most) | Self::Slow(most) => most,
        }
    }
}

pub(crate) fn limits() -> impl Strategy<Value = Limit> {
    prop_oneof![
        3 => Just(Limit::None),
        2 => (1_usize..70).prop_map(Limit::Named),
        2 => (1_usize..70).prop_map(Limit::Silent),
    ]
}

pub(crate) fn faults() -> impl Strategy<Value = Fault> {
    prop::sample::select(Fault::ALL.as_slice())
}

pub(crate) fn text(at: usize) -> String {
    format!("{at} is the number of this line")
}

pub(crate) fn vector(at: usize) -> [f32; 2] {
    [at as f32, 1.0]
}

impl Server {
    pub(crate) fn new(limit: Limit, poison: impl IntoIterator<Item = (usize, Fault)>) -> Self {
        Self {
            limit,
            poison: Arc::new(poison.into_iter().collect()),
            down: Duration::ZERO..Duration::ZERO,
            flaky: 0,
            numbers_only: false,
            started: Instant::now(),
            seen: Arc::default(),
        }
    }

    /// It answers 503 for a while.
    pub(crate) fn down(self, down: Range<Duration>) -> Self {
        Self { down, ..self }
    }

    /// So many percent of its answers are 503.
    pub(crate) fn flaky(self, percent: u64) -> Self {
        Self { flaky: percent, ..self }
    }

    /// It knows no base64, and refuses it as it refuses anything.
    pub(crate) fn numbers_only(self) -> Self {
        Self { numbers_only: true, ..self }
    }

    /// How each request asked for its vectors.
    pub(crate) fn forms(&self) -> Vec<String> {
        self.seen().forms.clone()
    }

    /// How many requests came with no time left.
    pub(crate) fn late(&self) -> usize {
        self.seen().late
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen().sizes.len()
    }

    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.seen().sizes.clone()
    }

    pub(crate) fn answered(&self) -> usize {
        self.seen().answered
    }

    pub(crate) fn longest_silence(&self) -> Duration {
        self.seen().silence
    }

    pub(crate) fn service(
        &self,
    ) -> impl Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = io::Error, Future: Send>
    + Clone
    + Send
    + 'static {
        let server = self.clone();
        tower::service_fn(move |request: Request<Full<Bytes>>| {
            let server = server.clone();
            async move { server.answer(request).await }
        })
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> io::Result<Response<Full<Bytes>>> {
        let deadline = request.extensions().get::<Deadline>().copied();
        let Ok(body) = request.into_body().collect().await;
        let body: Value = serde_json::from_slice(&body.to_bytes()).expect("a request is JSON");
        let number = |text: &Value| text.as_str()?.split(' ').next()?.parse::<usize>().ok();
        let inputs: Vec<_> = body["input"].as_array().expect("a list").iter().filter_map(number).collect();
        let request = {
            let mut seen = self.seen();
            seen.sizes.push(inputs.len());
            seen.forms.push(body["encoding_format"].as_str().unwrap_or("none").to_owned());
            seen.late += usize::from(deadline.is_some_and(|deadline| deadline.left().is_zero()));
            seen.sizes.len() as u64
        };
        let late = matches!(self.limit, Limit::Slow(most) if inputs.len() > most);
        sleep(if late { SECOND * 1_000 } else { Duration::from_millis(50) }).await;
        let now = self.started.elapsed();
        // A number that follows from the request alone, and looks like chance.
        let chance = (request.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 100;
        if self.down.contains(&now) || chance < self.flaky {
            return Ok(said(503, json!({ "error": { "message": "The server is overloaded" } })));
        }
        if self.numbers_only && body["encoding_format"] == "base64" {
            return Ok(said(400, json!({ "error": { "message": "Bad request" } })));
        }
        match self.limit {
            Limit::Named(most) if inputs.len() > most => {
                let message = format!("batch size {} > maximum allowed batch size {most}", inputs.len());
                return Ok(said(422, json!({ "error": message, "error_type": "Validation" })));
            }
            Limit::Silent(most) if inputs.len() > most => {
                return Ok(said(400, json!({ "error": { "message": "do embedding request: EOF" } })));
            }
            _ => {}
        }
        let mut fault = None;
        for at in &inputs {
            fault = fault.or(self.poison.get(at).map(|fault| (*at, *fault)));
        }
        if let Some((_, fault)) = fault {
            match fault {
                Fault::Refused => {
                    return Ok(said(
                        400,
                        json!({ "error": { "message": "'$.input' is invalid.", "type": "invalid_request_error" } }),
                    ));
                }
                Fault::Unprocessable => return Ok(said(422, json!({ "detail": "Unprocessable" }))),
                Fault::TooLarge => return Ok(said(413, json!({ "message": "Payload Too Large" }))),
                Fault::TooLong => {
                    let message =
                        "This model's maximum context length is 8192 tokens, however you requested 9000 tokens.";
                    return Ok(said(400, json!({ "error": { "message": message, "type": "invalid_request_error" } })));
                }
                Fault::Broken => {
                    return Ok(said(
                        500,
                        json!({ "error": { "message": "Invalid input batch.", "type": "server_error" } }),
                    ));
                }
                Fault::Hangs => sleep(SECOND * 100_000).await,
                Fault::HangsUp => return Err(io::ErrorKind::ConnectionReset.into()),
                _ => {}
            }
        }
        let mut data: Vec<_> = inputs.iter().map(|at| json!({ "embedding": vector(*at) })).collect();
        for (item, at) in data.iter_mut().zip(&inputs) {
            item["embedding"] = match self.poison.get(at) {
                Some(Fault::Null) => Value::Null,
                Some(Fault::Empty) => json!([]),
                Some(Fault::Zero) => json!([0.0, 0.0]),
                Some(Fault::Dimension) => json!([1.0, 2.0, 3.0]),
                _ => continue,
            };
        }
        if inputs.iter().any(|at| self.poison.get(at) == Some(&Fault::Short)) {
            data.pop();
        }
        let mut seen = self.seen();
        let whole = fault.is_none();
        seen.answered += usize::from(whole);
        if whole {
            seen.silence = seen.silence.max(now.saturating_sub(seen.last));
            seen.last = now;
        }
        Ok(said(200, json!({ "data": data, "model": "m" })))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nobody panics")
    }
}

fn said(status: u16, body: Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}
