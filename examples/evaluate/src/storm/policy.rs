use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
};

use bytes::Bytes;
use clap::ValueEnum;
use http::Response;
use serde::{Deserialize, Serialize};
use tokio::time::{Duration, Instant, sleep, timeout};
use tower::{
    Layer, Service, ServiceExt,
    retry::budget::{Budget as _, TpsBudget},
    service_fn,
};
use trysail::{Backoff, Budget, EmbedRequest, Failure, Preset, RetryLayer, TimeoutLayer, Verdict};

use super::{PATIENCE, server::Server};

/// How callers repeat what has failed. All but those of trysail are models of what their projects publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// `Preset::interactive`: retry, budget, breaker and backoff.
    Trysail,
    /// Its retry and budget alone.
    TrysailWithoutBreaker,
    NoRetries,
    /// Three retries, whatever happens.
    NoBudget,
    /// tower's own budget with its default settings, which are Finagle's: 20 % of the calls and 10 a second.
    Tower,
    /// The same as Finagle describes it: over exactly the last 10 s.
    #[value(name = "finagle-20-percent")]
    #[serde(rename = "finagle-20-percent")]
    Finagle20,
    #[value(name = "finagle-10-percent")]
    #[serde(rename = "finagle-10-percent")]
    Finagle10,
    #[value(name = "finagle-50-percent")]
    #[serde(rename = "finagle-50-percent")]
    Finagle50,
    /// 500 tokens, of which a retry costs 14; what the last one took comes back with a success.
    #[value(name = "aws-2.1")]
    #[serde(rename = "aws-2.1")]
    Aws14,
    /// 500 tokens, 5 a retry.
    #[value(name = "aws-2.0")]
    #[serde(rename = "aws-2.0")]
    Aws5,
    /// gRPC's retry throttling: 10 tokens, 1 for a failure, 0.1 back for a success, none below half.
    Grpc,
}

/// One call, and whether it was answered.
pub(super) type Call = Pin<Box<dyn Future<Output = bool>>>;
/// Makes calls of one process.
pub(super) type Caller = Box<dyn Fn() -> Call>;

impl Policy {
    pub(super) fn caller(self, server: &Server, seed: u64) -> Caller {
        match self {
            Self::Trysail => {
                let preset = Preset::interactive().attempt(PATIENCE).seed(seed);
                ours(preset.layer(judged(server.clone())))
            }
            Self::TrysailWithoutBreaker => {
                let retry = RetryLayer::new(Backoff::exponential(FIRST).seed(seed)).budget(Budget::default());
                ours(retry.layer(TimeoutLayer::new(PATIENCE).layer(judged(server.clone()))))
            }
            Self::NoRetries => self.model(server, seed, None::<Free>),
            Self::NoBudget => self.model(server, seed, Some(Free)),
            Self::Tower => self.model(server, seed, Some(TpsBudget::default())),
            Self::Finagle20 => self.model(server, seed, Some(Finagle::new(0.2))),
            Self::Finagle10 => self.model(server, seed, Some(Finagle::new(0.1))),
            Self::Finagle50 => self.model(server, seed, Some(Finagle::new(0.5))),
            Self::Aws14 => self.model(server, seed, Some(Aws { tokens: Cell::new(500), cost: 14 })),
            Self::Aws5 => self.model(server, seed, Some(Aws { tokens: Cell::new(500), cost: 5 })),
            Self::Grpc => self.model(server, seed, Some(Grpc { tenths: Cell::new(100) })),
        }
    }

    /// Three retries with the same backoff as ours, if `tokens` pay for them.
    fn model<T: Tokens + 'static>(self, server: &Server, seed: u64, tokens: Option<T>) -> Caller {
        let (server, tokens) = (server.clone(), Rc::new(tokens));
        let backoff = Backoff::exponential(FIRST).seed(seed);
        Box::new(move || {
            let (server, tokens, backoff) = (server.clone(), Rc::clone(&tokens), backoff.clone());
            Box::pin(async move {
                let Some(tokens) = &*tokens else { return attempt(&server).await };
                tokens.begin();
                let mut delays = backoff.into_iter();
                let mut retried = false;
                while !attempt(&server).await {
                    let Some(delay) = delays.next().filter(|_| tokens.pay()) else { return false };
                    retried = true;
                    sleep(delay).await;
                }
                tokens.succeed(retried);
                true
            })
        })
    }
}

async fn attempt(server: &Server) -> bool {
    timeout(PATIENCE, server.clone().request()).await.unwrap_or(false)
}

type Judged = Failure<Response<Bytes>, io::Error>;

fn judged(
    server: Server,
) -> impl Service<EmbedRequest, Response = (), Error = Judged, Future: 'static> + Clone + 'static {
    service_fn(move |_| {
        let answer = server.clone().request();
        async move {
            let failed = || Judged::unanswered(Verdict::TRANSIENT, io::ErrorKind::ConnectionReset.into());
            if answer.await { Ok(()) } else { Err(failed()) }
        }
    })
}

fn ours<S>(service: S) -> Caller
where
    S: Service<EmbedRequest, Future: 'static> + Clone + 'static,
{
    let request = EmbedRequest::new("model", ["a line"]);
    Box::new(move || {
        let call = service.clone().oneshot(request.clone());
        Box::pin(async move { call.await.is_ok() })
    })
}

/// What retries are paid from.
trait Tokens {
    fn begin(&self) {}

    /// Pays for a retry, if it can.
    fn pay(&self) -> bool;

    fn succeed(&self, _retried: bool) {}
}

struct Free;

impl Tokens for Free {
    fn pay(&self) -> bool {
        true
    }
}

impl Tokens for TpsBudget {
    fn begin(&self) {
        self.deposit();
    }

    fn pay(&self) -> bool {
        self.withdraw()
    }
}

struct Finagle {
    share: f64,
    /// What came in and went out in the last 10 s.
    window: RefCell<VecDeque<(Instant, f64)>>,
    balance: Cell<f64>,
}

impl Finagle {
    fn new(share: f64) -> Self {
        Self { share, window: RefCell::default(), balance: Cell::new(10.0 * FINAGLE_WINDOW.as_secs_f64()) }
    }

    fn change(&self, by: f64) {
        self.window.borrow_mut().push_back((Instant::now(), by));
        self.balance.set(self.balance.get() + by);
    }

    fn expire(&self) {
        let mut window = self.window.borrow_mut();
        while window.front().is_some_and(|(at, _)| at.elapsed() > FINAGLE_WINDOW) {
            let gone = window.pop_front().map_or(0.0, |(_, change)| change);
            self.balance.set(self.balance.get() - gone);
        }
    }
}

impl Tokens for Finagle {
    fn begin(&self) {
        self.change(self.share);
    }

    fn pay(&self) -> bool {
        self.expire();
        let pays = self.balance.get() >= 1.0;
        if pays {
            self.change(-1.0);
        }
        pays
    }
}

struct Aws {
    tokens: Cell<u32>,
    cost: u32,
}

impl Tokens for Aws {
    fn pay(&self) -> bool {
        let left = self.tokens.get().checked_sub(self.cost);
        self.tokens.set(left.unwrap_or(self.tokens.get()));
        left.is_some()
    }

    fn succeed(&self, retried: bool) {
        let back = if retried { self.cost } else { 1 };
        self.tokens.set((self.tokens.get() + back).min(500));
    }
}

struct Grpc {
    tenths: Cell<u32>,
}

impl Tokens for Grpc {
    fn pay(&self) -> bool {
        self.tenths.set(self.tenths.get().saturating_sub(10));
        self.tenths.get() > 50
    }

    fn succeed(&self, _: bool) {
        self.tenths.set((self.tenths.get() + 1).min(100));
    }
}

const FINAGLE_WINDOW: Duration = Duration::from_secs(10);
const FIRST: Duration = Duration::from_millis(100);
