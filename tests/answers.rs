//! The answer survives: what a proxy, or a client of one's own, hands on when the last try has failed.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time::Instant;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Backoff, BreakerLayer, Circuit, Class, Classified, ClassifyLayer, CollectLayer, Failure, Idempotent, Providers,
    RetryLayer, TimeoutLayer, Trip, Verdict, WithStatus, breaker::State,
};

const SECRET: &str = "sk-secret";

/// Answers with `status` each time, and counts.
fn answering(
    status: StatusCode,
    calls: &Arc<AtomicUsize>,
) -> impl Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send> + Clone + use<>
{
    let calls = Arc::clone(calls);
    service_fn(move |_: Request<Full<Bytes>>| {
        calls.fetch_add(1, Relaxed);
        let answer = Response::builder().status(status).header("x-key", SECRET).body(Full::from(SECRET));
        async { Ok(answer.expect("a valid answer")) }
    })
}

fn request() -> Request<Full<Bytes>> {
    Request::get("http://localhost/").body(Full::default()).expect("a valid request")
}

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(Duration::from_millis(100)))
}

#[tokio::test(start_paused = true)]
async fn a_failure_gives_the_answer_back_after_the_last_try() -> Result<(), BoxError> {
    let calls = Arc::default();
    let circuit = Circuit::new(Trip::consecutive(4));
    let stack = ServiceBuilder::new()
        .map_result(Failure::or_response)
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(retry().replay(Idempotent))
        .layer(BreakerLayer::new(circuit.clone()))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1 << 20))
        .service(answering(StatusCode::SERVICE_UNAVAILABLE, &calls));
    let answer = stack.oneshot(request()).await?;
    assert_eq!((answer.status(), &answer.body()[..]), (StatusCode::SERVICE_UNAVAILABLE, SECRET.as_bytes()));
    assert_eq!(answer.headers()["x-key"], SECRET);
    assert_eq!((calls.load(Relaxed), circuit.state()), (4, State::Open));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_judge_of_retry_and_breaker_leaves_answers_as_they_are() -> Result<(), BoxError> {
    for (status, tries, state) in [
        (StatusCode::SERVICE_UNAVAILABLE, 4, State::Open),
        (StatusCode::UNAUTHORIZED, 1, State::Closed),
        (StatusCode::OK, 1, State::Closed),
    ] {
        let calls = Arc::default();
        let circuit = Circuit::new(Trip::consecutive(4));
        let stack = ServiceBuilder::new()
            .layer(TimeoutLayer::new(Duration::from_secs(60)))
            .layer(retry().replay(Idempotent).classify_with(Providers))
            .layer(BreakerLayer::new(circuit.clone()).classify_with(Providers))
            .layer(TimeoutLayer::new(Duration::from_secs(20)))
            .map_err(BoxError::from)
            .layer(CollectLayer::new(1 << 20))
            .service(answering(status, &calls));
        let answer = stack.oneshot(request()).await?;
        assert_eq!((answer.status(), &answer.body()[..]), (status, SECRET.as_bytes()));
        assert_eq!((calls.load(Relaxed), circuit.state()), (tries, state));
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_failure_names_the_status_and_prints_nothing_else_of_the_answer() {
    let own = WithStatus(|outcome: Result<&Response<Full<Bytes>>, &Infallible>| match outcome {
        Ok(answer) if answer.status().is_success() => Verdict::SUCCESS,
        _ => Verdict::TRANSIENT,
    });
    let calls = Arc::default();
    let server = answering(StatusCode::SERVICE_UNAVAILABLE, &calls);
    let by_own = ServiceBuilder::new().layer(ClassifyLayer::new(own)).service(server.clone());
    let by_table = ServiceBuilder::new()
        .layer(ClassifyLayer::new(Arc::new(Providers.rule(|_, verdict| verdict))))
        .layer(CollectLayer::new(1 << 20))
        .service(server);
    let own = by_own.oneshot(request()).await.expect_err("503");
    let table = by_table.oneshot(request()).await.expect_err("503");
    assert_eq!((own.status(), table.status()), (Some(503), Some(503)));
    for said in [own.to_string(), table.to_string(), BoxError::from(table).to_string()] {
        assert_eq!(said, "the server answered 503");
    }
    let debug = format!("{own:?} {own:#?}");
    assert!(debug.contains("status: Some(503)") && !debug.contains(SECRET), "{debug}");
    assert_eq!(own.verdict().class(), Class::Transient);
}

/// How long a call takes that is throttled three times, with these words.
async fn throttled(words: &'static str) -> Duration {
    let calls = Arc::new(AtomicUsize::new(0));
    let server = service_fn(move |_: Request<Full<Bytes>>| {
        let throttled = calls.fetch_add(1, Relaxed) < 3;
        let status = if throttled { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
        let answer = Response::builder().status(status).body(Full::<Bytes>::from(if throttled { words } else { "{}" }));
        std::future::ready(Ok::<_, Infallible>(answer.expect("a valid answer")))
    });
    let stack = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(600)))
        .layer(retry().replay(Idempotent).within(Duration::from_secs(600)))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1 << 20))
        .service(server);
    let started = Instant::now();
    let answer = stack.oneshot(request()).await.expect("it is throttled three times only");
    assert_eq!(answer.status(), StatusCode::OK);
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_waits_by_the_window_that_the_answer_names() {
    let second = Duration::from_secs(1);
    let (by_second, by_minute) = (throttled("limit: 9 requests per second").await, throttled("limit: 9 RPM").await);
    assert!(by_second >= second * 7 / 60 && by_second < second, "{by_second:?}");
    // Where no window is named it is taken for a minute.
    for waited in [by_minute, throttled("too many requests").await] {
        assert!(waited >= second * 7 && waited < second * 12, "{waited:?}");
    }
}
