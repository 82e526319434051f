use std::{
    borrow::Borrow,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::time::{Sleep, sleep, timeout};
use tower::{
    BoxError, ServiceBuilder, ServiceExt,
    retry::{
        self,
        backoff::{Backoff as _, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff},
        budget::{Budget, TpsBudget},
    },
    service_fn,
    timeout::TimeoutLayer,
    util::{BoxCloneSyncService, rng::Rng},
};
use tower_resilience::{
    circuitbreaker::{CircuitBreakerLayer, SlidingWindowType},
    retry::RetryLayer as ResilientRetryLayer,
    timelimiter::{TimeLimiterError, TimeLimiterLayer},
};

use super::{
    ATTEMPT,
    server::{HttpRequest, HttpResponse, Server},
};
use crate::dice::Dice;

/// What others do, over the same HTTP.
pub(super) type Peer = BoxCloneSyncService<HttpRequest, HttpResponse, BoxError>;

/// Nothing around it, and no limit of time.
pub(super) fn unprotected(server: Server) -> Peer {
    BoxCloneSyncService::new(service_fn(move |request| {
        let answer = server.clone().request(request);
        async move { answer.await.map_err(BoxError::from) }
    }))
}

/// Three tries with 200 ms in between, and 5 s for each.
pub(super) fn by_hand(server: Server) -> Peer {
    looping(server, |_, tried| (tried < 3).then_some(Duration::from_millis(200)))
}

/// What openai-python 1.x and 2.x do, with 5 s for an attempt where they have 600.
pub(super) fn openai_python(server: Server, seed: u64) -> Peer {
    let dice = Arc::new(Mutex::new(Dice::seeded(seed)));
    looping(server, move |outcome, tried| {
        let response = outcome.as_ref().ok();
        let asked = response.and_then(|response| {
            let header = |name| response.headers().get(name)?.to_str().ok()?.parse::<f64>().ok();
            header("retry-after-ms").map(|ms| ms / 1_000.0).or_else(|| header("retry-after"))
        });
        let again = response.is_none_or(|response| {
            matches!(response.status().as_u16(), 408 | 409 | 429) || response.status().is_server_error()
        });
        let jitter = 1.0 - 0.25 * dice.lock().map_or(0.0, |dice| dice.uniform());
        let own = (0.5 * 2_f64.powi(tried - 1)).min(8.0) * jitter;
        let delay = asked.filter(|seconds| *seconds > 0.0 && *seconds <= 60.0).unwrap_or(own);
        (again && tried < 3).then(|| Duration::from_secs_f64(delay))
    })
}

/// What async-openai 0.43 does in `OpenAIRetryLayer`, with 5 s for an attempt where it has no limit.
pub(super) fn async_openai(server: Server) -> Peer {
    let judge = |outcome: &Outcome, tried: i32| {
        let (again, asked) = match outcome {
            Ok(response) => {
                let limited = response.status() == StatusCode::TOO_MANY_REQUESTS && !is_quota(response.body());
                let asked = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                (limited || response.status().is_server_error(), asked.map(Duration::from_secs))
            }
            // It asks reqwest whether the error came from connecting.
            Err(error) => {
                let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
                (kind == Some(io::ErrorKind::ConnectionRefused), None)
            }
        };
        let own = Duration::from_millis(100) * 2_u32.pow(tried.unsigned_abs() - 1);
        (again && tried < 4).then(|| asked.unwrap_or(own.min(Duration::from_secs(8))))
    };
    looping(server, judge)
}

fn is_quota(body: &Bytes) -> bool {
    body.windows(QUOTA.len()).any(|part| part == QUOTA)
}

type Outcome = Result<Response<Bytes>, BoxError>;

/// Tries until it succeeds, or `again` says after so many tries that it is over.
fn looping(server: Server, again: impl Fn(&Outcome, i32) -> Option<Duration> + Clone + Send + Sync + 'static) -> Peer {
    BoxCloneSyncService::new(service_fn(move |request: HttpRequest| {
        let (server, again) = (server.clone(), again.clone());
        async move {
            let mut tried = 0;
            loop {
                tried += 1;
                let outcome = attempt(server.clone(), request.clone()).await;
                let delay = match &outcome {
                    Ok(response) if response.status().is_success() => None,
                    _ => again(&outcome, tried),
                };
                let Some(delay) = delay else { return outcome.map(|response| response.map(Full::from)) };
                sleep(delay).await;
            }
        }
    }))
}

async fn attempt(server: Server, request: HttpRequest) -> Outcome {
    let (head, body) = timeout(ATTEMPT, server.request(request)).await??.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

/// tower's retry with its own backoff and its own budget around its timeout, as its documentation puts them together.
pub(super) fn tower(server: Server, seed: u64) -> Peer {
    let jitter = Draws(Arc::new(Mutex::new(Dice::seeded(seed))));
    let (first, most) = (Duration::from_millis(100), Duration::from_secs(10));
    let backoff = ExponentialBackoffMaker::new(first, most, 0.99, jitter).map(|mut maker| maker.make_backoff());
    let policy = Thrice { left: 3, backoff: backoff.ok(), budget: Arc::new(TpsBudget::default()) };
    let service = ServiceBuilder::new()
        .layer(retry::RetryLayer::new(policy))
        .layer(TimeoutLayer::new(ATTEMPT))
        .service(unprotected(server));
    BoxCloneSyncService::new(service)
}

#[derive(Clone)]
struct Thrice {
    left: u32,
    backoff: Option<ExponentialBackoff<Draws>>,
    budget: Arc<TpsBudget>,
}

impl retry::Policy<HttpRequest, HttpResponse, BoxError> for Thrice {
    type Future = Sleep;

    fn retry(&mut self, _: &mut HttpRequest, outcome: &mut Result<HttpResponse, BoxError>) -> Option<Sleep> {
        if !worth_repeating(outcome) {
            self.budget.deposit();
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        let backoff = self.backoff.as_mut().filter(|_| self.budget.withdraw())?;
        Some(backoff.next_backoff())
    }

    fn clone_request(&mut self, request: &HttpRequest) -> Option<HttpRequest> {
        Some(request.clone())
    }
}

/// What a careful user writes down: errors, and the statuses that may pass.
fn worth_repeating<R: Borrow<HttpResponse>, E>(outcome: &Result<R, E>) -> bool {
    outcome.as_ref().map_or(true, |response| {
        let response = response.borrow();
        matches!(response.status(), StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            || response.status().is_server_error()
    })
}

#[derive(Clone)]
struct Draws(Arc<Mutex<Dice>>);

impl Rng for Draws {
    fn next_u64(&mut self) -> u64 {
        // tower takes 0 for a broken source.
        self.0.lock().map_or(1, |dice| (dice.uniform() * u64::MAX as f64) as u64 | 1)
    }
}

/// tower-resilience's retry around its time limiter, with the backoff and as many tries as ours.
pub(super) fn resilience(server: Server) -> Peer {
    let limiter = TimeLimiterLayer::builder().timeout_duration(ATTEMPT).build();
    let service = ServiceBuilder::new().layer(persistent(1.0)).layer(limiter).service(unprotected(server));
    BoxCloneSyncService::new(service.map_err(BoxError::from))
}

/// The same with its breaker in between, set as ours is, which reads the clock of the machine: everything is so many times faster.
pub(super) fn resilience_with_breaker(server: Server, pace: f64) -> Peer {
    let scaled = |duration: Duration| duration.div_f64(pace);
    // Its window of a count of calls keeps all of them; one of a duration slides.
    let breaker = CircuitBreakerLayer::builder()
        .sliding_window_type(SlidingWindowType::TimeBased)
        .sliding_window_duration(scaled(Duration::from_secs(40)))
        .minimum_number_of_calls(20)
        .wait_duration_in_open(scaled(Duration::from_secs(5)))
        .failure_classifier(|outcome: &Result<HttpResponse, TimeLimiterError<BoxError>>| worth_repeating(outcome))
        .build()
        .expect("a size and a duration that are not zero");
    let service = ServiceBuilder::new()
        .layer(persistent(pace))
        .layer(breaker)
        .layer(TimeLimiterLayer::builder().timeout_duration(scaled(ATTEMPT)).build())
        .service(unprotected(server));
    BoxCloneSyncService::new(service.map_err(BoxError::from))
}

fn persistent<E: 'static>(pace: f64) -> ResilientRetryLayer<HttpRequest, HttpResponse, E> {
    ResilientRetryLayer::builder()
        .max_attempts(4)
        .exponential_backoff(Duration::from_millis(100).div_f64(pace))
        .retry_on_response(|response: &HttpResponse| worth_repeating(&Ok::<_, ()>(response)))
        .build()
}

const QUOTA: &[u8] = b"insufficient_quota";
