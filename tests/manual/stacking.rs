//! What `docs/stacking.md` says, in its order. The orders of layers are in `samples/orders.rs`, marks, keys and deadlines
//! in `marks.rs`, `own.rs` and `timeouts.rs`, answers that survive in `answers.rs`, and tower's layers in
//! `tower_layers.rs`; places in a queue in `breaker.rs` of trysail-breaker and `ready.rs` of trysail-timeout, and settings
//! that fit in `preset.rs`.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Backoff, BreakerLayer, Budget, Circuit, Class, Classified, ClassifyLayer, CollectLayer, EmbedRequest, Embeddings,
    Endpoint, Failure, Idempotent, Preset, Providers, ReadyTimeoutLayer, RetryLayer, TimeoutLayer, Trip, Verdict,
    report,
    retry::{BudgetSettings, Stop},
};

const SECOND: Duration = Duration::from_secs(1);
type Wire = Request<Full<Bytes>>;
type Failed = Failure<(), Infallible>;

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(SECOND / 10))
}

/// Answers each request with what `answer` says, and counts.
fn server(
    answer: impl Fn(usize) -> (StatusCode, &'static str) + Clone + Send + 'static,
) -> (
    Arc<AtomicUsize>,
    impl Service<Wire, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send> + Clone + Send + 'static,
) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&sent);
    let service = service_fn(move |_: Wire| {
        let (status, body) = answer(counts.fetch_add(1, Relaxed));
        let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
        *response.status_mut() = status;
        async { Ok(response) }
    });
    (sent, service)
}

fn down(_: usize) -> (StatusCode, &'static str) {
    (StatusCode::SERVICE_UNAVAILABLE, "")
}

fn request(method: Method, path: &str) -> Wire {
    Request::builder().method(method).uri(path).body(Full::default()).expect("a valid request")
}

/// The most calls in flight to a server that hangs, of 50 a second for 30 s.
async fn most_in_flight<S>(stack: impl Fn(Hanging) -> S) -> usize
where
    S: Service<(), Response = (), Error = Failed, Future: Send> + Clone + Send + 'static,
{
    let hanging = Hanging::default();
    let stack = stack(hanging.clone());
    let mut most = 0;
    for _ in 0..1_500 {
        tokio::spawn(stack.clone().oneshot(()));
        time::sleep(SECOND / 50).await;
        most = most.max(hanging.in_flight());
    }
    most
}

/// Never answers. Services share the outer handle, and each call in flight has one of the inner.
#[derive(Clone, Default)]
struct Hanging(Arc<Calls>);

#[derive(Default)]
struct Calls {
    in_flight: Arc<()>,
}

impl Hanging {
    fn in_flight(&self) -> usize {
        Arc::strong_count(&self.0.in_flight) - 1
    }

    fn service(self) -> impl Service<(), Response = (), Error = Failed, Future: Send> + Clone + Send + 'static {
        let Self(calls) = self;
        service_fn(move |(): ()| {
            let in_flight = Arc::clone(&calls.in_flight);
            async move {
                pending::<()>().await;
                drop(in_flight);
                Ok(())
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_server_hangs_rate_times_attempt_timeout_calls_are_in_flight_unless_they_are_limited() {
    let attempt = || TimeoutLayer::new(20 * SECOND);
    let free = most_in_flight(|hanging| attempt().layer(hanging.service())).await;
    assert!((999..=1_001).contains(&free), "{free}");
    let limited = most_in_flight(|hanging| {
        ServiceBuilder::new()
            .layer(ReadyTimeoutLayer::new(SECOND))
            .concurrency_limit(10)
            .layer(BreakerLayer::new(Circuit::new(Trip::default())))
            .layer(attempt())
            .service(hanging.service())
    });
    assert_eq!(limited.await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_hang_becomes_a_failure_that_the_breaker_counts_and_the_retry_repeats() {
    let circuit = Circuit::new(Trip::consecutive(4));
    let stack = ServiceBuilder::new()
        .layer(retry())
        .layer(BreakerLayer::new(circuit.clone()))
        .layer(TimeoutLayer::new(SECOND))
        .service(Hanging::default().service());
    let (outcome, report) = report(stack.oneshot(())).await;
    assert!(matches!(outcome, Err(Failure::Elapsed(_))));
    assert_eq!((report.attempts(), circuit.snapshot().opened()), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn above_embeddings_a_wrong_answer_is_a_failed_attempt_and_below_it_a_success() {
    let [one, two] = [r#"{"data":[{"embedding":[1]}]}"#, r#"{"data":[{"embedding":[1]},{"embedding":[2]}]}"#];
    let endpoint = || Endpoint::openai("http://localhost:1/v1").expect("a base URL");
    let http = ServiceBuilder::new().layer(ClassifyLayer::new(Providers)).layer(CollectLayer::new(1_000));
    let ask = || EmbedRequest::new("m", ["a fair wind", "a storm"]);
    let first_is_wrong = move |sent| (StatusCode::OK, if sent == 0 { one } else { two });

    let (sent, client) = server(first_is_wrong);
    let above = Preset::interactive().layer(Embeddings::new(http.service(client), endpoint()));
    assert_eq!(above.oneshot(ask()).await.expect("the second answer").len(), 2);
    assert_eq!(sent.load(Relaxed), 2);

    let (sent, client) = server(first_is_wrong);
    let http = ServiceBuilder::new().layer(ClassifyLayer::new(Providers)).layer(CollectLayer::new(1_000));
    let below = Embeddings::new(Preset::interactive().layer(http.service(client)), endpoint());
    let refused = below.oneshot(ask()).await.expect_err("one vector for two texts");
    assert_eq!((refused.verdict().class(), sent.load(Relaxed)), (Class::Malformed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_retry_repeats_every_request_unless_it_is_told_which() {
    let every = || ServiceBuilder::new().layer(retry()).layer(ClassifyLayer::new(Providers));
    let chosen = || ServiceBuilder::new().layer(retry().replay(Idempotent)).layer(ClassifyLayer::new(Providers));
    for (method, path, times) in [
        (Method::GET, "/v1/models", 4),
        (Method::PUT, "/v1/files", 4),
        (Method::POST, "/v1/embeddings", 4),
        (Method::POST, "/v1/chat/completions", 1),
    ] {
        let (sent, client) = server(down);
        let stack = every().layer(CollectLayer::new(1_000)).service(client);
        stack.oneshot(request(method.clone(), path)).await.expect_err("503");
        assert_eq!(sent.load(Relaxed), 4);

        let (sent, client) = server(down);
        let stack = chosen().layer(CollectLayer::new(1_000)).service(client);
        stack.clone().oneshot(request(method.clone(), path)).await.expect_err("503");
        assert_eq!(sent.swap(0, Relaxed), times, "{method} {path}");
        let mut marked = request(method.clone(), path);
        marked.extensions_mut().insert(Idempotent);
        stack.clone().oneshot(marked).await.expect_err("503");
        assert_eq!(sent.swap(0, Relaxed), 4);
        stack.oneshot(Idempotent::keyed(request(method, path))).await.expect_err("503");
        assert_eq!(sent.load(Relaxed), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn two_retries_multiply_attempts_unless_both_mark_what_they_repeat() {
    let (sent, client) = server(down);
    let judged = || ServiceBuilder::new().layer(ClassifyLayer::new(Providers)).layer(CollectLayer::new(1_000));
    let unmarked = ServiceBuilder::new().layer(retry()).layer(retry()).service(judged().service(client.clone()));
    unmarked.oneshot(request(Method::GET, "/")).await.expect_err("503");
    assert_eq!(sent.swap(0, Relaxed), 16);
    let both = ServiceBuilder::new().layer(retry().replay(Idempotent)).layer(retry().replay(Idempotent));
    both.service(judged().service(client)).oneshot(request(Method::GET, "/")).await.expect_err("503");
    assert_eq!(sent.load(Relaxed), 4);
}

#[tokio::test(start_paused = true)]
async fn without_a_judge_every_answer_is_a_success() {
    let (sent, client) = server(down);
    let circuit = Circuit::new(Trip::consecutive(1));
    let stack = ServiceBuilder::new()
        .layer(retry())
        .layer(BreakerLayer::new(circuit.clone()))
        .map_err(tower::BoxError::from)
        .layer(CollectLayer::new(1_000))
        .service(client);
    let answer = stack.oneshot(request(Method::GET, "/")).await.expect("an answer is no error");
    assert_eq!((answer.status(), sent.load(Relaxed)), (StatusCode::SERVICE_UNAVAILABLE, 1));
    assert_eq!(circuit.snapshot().opened(), 0);
}

/// After how long a call with an empty budget ends, and why, if it is patient and has a deadline.
async fn waits(patient: bool, deadline: bool) -> (Duration, Option<Stop>) {
    let began = time::Instant::now();
    let retry = retry().budget(Budget::new(BudgetSettings::ratio(0.0).floor(0)));
    let retry = if patient { retry.patient() } else { retry };
    let down = service_fn(|(): ()| async { Err::<(), _>(Verdict::TRANSIENT) });
    let (_, report) = if deadline {
        report(retry.within(60 * SECOND).layer(down).oneshot(())).await
    } else {
        report(retry.layer(down).oneshot(())).await
    };
    (began.elapsed(), report.stop())
}

#[tokio::test(start_paused = true)]
async fn a_patient_retry_waits_for_its_budget_and_only_inside_a_deadline() {
    let (waited, _) = waits(true, true).await;
    assert!(waited > SECOND, "{waited:?}");
    for (patient, deadline) in [(false, true), (true, false), (false, false)] {
        assert_eq!(waits(patient, deadline).await, (Duration::ZERO, Some(Stop::Budget)), "{patient} {deadline}");
    }
}
