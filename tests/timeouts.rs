//! Time limits: silence in bodies, deadlines that travel, impatient callers, and what a dropped call leaves behind.

use std::{
    convert::Infallible,
    error::Error,
    future::pending,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, channel::Channel};
use serde_json::Value;
use tokio::time::{self, Instant};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    BreakerLayer, Circuit, Class, Classified, ClassifyLayer, CollectLayer, Deadline, Elapsed, EmbedRequest, Failure,
    HttpLayer, HttpRequest, OrDeadline, Preset, Providers, RetryLayer, SendDeadlineLayer, TakeDeadlineLayer,
    TimeoutLayer, Trip,
    breaker::State,
    report,
    transport::{CollectError, RedirectLayer},
    verdict::Scope,
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// Answers at once with a body that comes in pieces after these gaps.
async fn trickling(gaps: &[f64]) -> Response<Channel<Bytes, Infallible>> {
    let (mut sender, body) = Channel::new(1);
    let gaps: Vec<_> = gaps.iter().map(|gap| Duration::from_secs_f64(*gap)).collect();
    tokio::spawn(async move {
        for gap in gaps {
            time::sleep(gap).await;
            if sender.send_data(Bytes::from_static(b"piece")).await.is_err() {
                return;
            }
        }
    });
    Response::new(body)
}

/// Whether a body with these gaps is cut off by a limit on silence of 5 s.
async fn is_cut(gaps: &[f64]) -> bool {
    let gaps = gaps.to_vec();
    let pieces = gaps.len();
    let service = service_fn(move |_: Request<()>| {
        let gaps = gaps.clone();
        async move { Ok::<_, Infallible>(trickling(&gaps).await) }
    });
    match CollectLayer::new(1_000_000).idle(5 * SECOND).layer(service).oneshot(Request::new(())).await {
        Ok(whole) => {
            assert_eq!(whole.body().len(), pieces * 5);
            false
        }
        Err(CollectError::Idle(elapsed)) => {
            assert_eq!((elapsed.scope(), elapsed.limit()), (Scope::Idle, 5 * SECOND));
            true
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn stalled_streams_are_cut_and_slow_ones_are_not() {
    let table: Value = serde_json::from_str(include_str!("data/stalled-stream.json")).expect("a table");
    let rows = ["rows", "ours_extra"].into_iter().flat_map(|part| table[part].as_array().expect("rows"));
    let mut bound = 0;
    for row in rows {
        let name = row["name"].as_str().expect("a name");
        let gaps = match name {
            "download_success" => {
                row["chunks_every_s"].as_array().expect("gaps").iter().filter_map(Value::as_f64).collect()
            }
            "download_slow_start" => vec![row["first_byte_at_s"].as_f64().expect("a time"), 1.0, 1.0],
            // Ours is a limit on silence, not on rate: gaps that grow past it.
            "download_too_slow (gaps grow)" => vec![1.0, 3.0, 6.0],
            "download_stalls" => vec![1.0, row["then_silence_s"].as_f64().expect("a time")],
            "stall_recovery_in_grace_period" => vec![row["silence_s"].as_f64().expect("a time"), 1.0, 1.0],
            "pending then data in every 100 ms bin (aws-sdk-rust#1202)" => vec![0.1; 300],
            "empty body" => vec![],
            "upload finished, server silent while computing" => {
                let silence = Duration::from_secs(row["silence_s"].as_u64().expect("a time"));
                let began = Instant::now();
                let computing = service_fn(async |_: Request<()>| {
                    time::sleep(silence).await;
                    Ok::<_, Infallible>(trickling(&[1.0]).await)
                });
                CollectLayer::new(100)
                    .layer(computing)
                    .oneshot(Request::new(()))
                    .await
                    .expect("only silence in a body counts");
                assert!(began.elapsed() > silence);
                bound += 1;
                continue;
            }
            other => {
                println!("not ours: {other} (a body is read as fast as it comes)");
                continue;
            }
        };
        assert_eq!(is_cut(&gaps).await, row["timeout"].as_bool().expect("a verdict"), "{name}");
        bound += 1;
    }
    assert_eq!(bound, 8);
}

#[tokio::test(start_paused = true)]
async fn silence_is_measured_from_the_last_frame() {
    // The timer is re-aimed only when it fires, which must not make the limit longer.
    let began = Instant::now();
    assert!(is_cut(&[4.0, 0.5, 100.0]).await);
    assert_eq!(began.elapsed(), 9_500 * MS);
}

fn hanging() -> impl Service<EmbedRequest, Response = (), Error = Failure<(), Infallible>, Future: Send> + Clone {
    service_fn(|_| pending::<Result<(), Failure<(), Infallible>>>())
}

/// Fifty calls a second for a minute, each with its own deadline; what the circuit did.
async fn impatient<S>(preset: &Preset, service: S, deadline: Duration)
where
    S: Service<EmbedRequest, Response = (), Error = Failure<(), Infallible>> + Clone + Send + 'static,
    S::Future: Send,
{
    for _ in 0..3_000 {
        let request = EmbedRequest::new("model", ["text"]).deadline(Deadline::within(deadline));
        let service = service.clone();
        tokio::spawn(preset.layer(service).oneshot(request));
        time::sleep(20 * MS).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_opens_the_circuit_unless_nobody_waits_for_it() {
    for (deadline, opens) in [(300 * MS, false), (SECOND, true), (25 * SECOND, true)] {
        let preset = Preset::interactive();
        impatient(&preset, hanging(), deadline).await;
        assert_eq!(preset.circuit().snapshot().opened() > 0, opens, "{deadline:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_server_keeps_the_circuit_closed_however_impatient_the_callers() {
    for deadline in [300 * MS, SECOND, 25 * SECOND] {
        let preset = Preset::interactive();
        let healthy = service_fn(async |_| {
            time::sleep(400 * MS).await;
            Ok(())
        });
        impatient(&preset, healthy, deadline).await;
        assert_eq!(
            (preset.circuit().state(), preset.circuit().snapshot().opened()),
            (State::Closed, 0),
            "{deadline:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_arrive_with_no_time_left_send_nothing_and_blame_nobody() {
    let sent = Arc::new(AtomicUsize::new(0));
    let service = {
        let sent = Arc::clone(&sent);
        service_fn(move |_: EmbedRequest| {
            sent.fetch_add(1, Relaxed);
            pending::<Result<(), Failure<(), Infallible>>>()
        })
    };
    let preset = Preset::interactive();
    for _ in 0..1_000 {
        let request = EmbedRequest::new("model", ["text"]).deadline(Deadline::within(Duration::ZERO));
        preset.layer(service.clone()).oneshot(request).await.expect_err("no time left");
        // The same where the outer timeout is missing: the limit of the attempt refuses as well.
        let attempt = TimeoutLayer::new(OrDeadline(SECOND)).layer(service.clone());
        let breaker = BreakerLayer::new(preset.circuit().clone()).layer(attempt);
        let request = EmbedRequest::new("model", ["text"]).deadline(Deadline::within(Duration::ZERO));
        breaker.oneshot(request).await.expect_err("no time left");
    }
    assert_eq!((sent.load(Relaxed), preset.circuit().snapshot().opened()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_server_in_the_middle_passes_on_what_is_left() -> Result<(), Box<dyn Error>> {
    let seen = Arc::new(AtomicUsize::new(0));
    let backend = {
        let seen = Arc::clone(&seen);
        service_fn(move |request: Request<Full<Bytes>>| {
            let left = request.headers()["x-deadline-ms"].to_str().expect("digits").parse().expect("a number");
            seen.store(left, Relaxed);
            async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) }
        })
    };
    let to_backend = SendDeadlineLayer::new().layer(backend);
    let middle = axum::Router::new()
        .route(
            "/",
            axum::routing::get(async move |axum::Extension(deadline): axum::Extension<Deadline>| {
                time::sleep(300 * MS).await;
                let mut request = Request::new(Full::new(Bytes::new()));
                request.extensions_mut().insert(deadline);
                to_backend.clone().oneshot(request).await.map(|_| ()).unwrap_or_default();
            }),
        )
        .layer(TakeDeadlineLayer::new());
    let mut request = Request::new(axum::body::Body::empty());
    request.extensions_mut().insert(Deadline::within(SECOND));
    let answer = SendDeadlineLayer::new().layer(middle).oneshot(request).await?;
    assert_eq!((answer.status(), seen.load(Relaxed)), (StatusCode::OK, 700));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_header_that_is_no_deadline_is_ignored_and_the_smaller_one_holds() {
    for (header, own, left) in [
        ("1500", None, Some(1_500)),
        (" 0 ", None, Some(0)),
        ("1500", Some(1_000), Some(1_000)),
        ("500", Some(1_000), Some(500)),
        ("-1", None, None),
        ("1.5", Some(7), Some(7)),
        ("soon", None, None),
        ("18446744073709551616", None, None),
    ] {
        let service = service_fn(async |request: Request<()>| {
            Ok::<_, Infallible>(request.extensions().get::<Deadline>().map(|deadline| deadline.left().as_millis()))
        });
        let mut request = Request::builder().header("x-deadline-ms", header).body(()).expect("a valid request");
        if let Some(own) = own {
            request.extensions_mut().insert(Deadline::within(own * MS));
        }
        let Ok(seen) = TakeDeadlineLayer::new().layer(service).oneshot(request).await;
        assert_eq!(seen, left, "{header}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hands_bodies_through_takes_the_limits_of_tower_http() {
    let service = service_fn(async |_: Request<()>| Ok::<_, Elapsed>(trickling(&[1.0, 1.0, 60.0]).await));
    let streaming = ServiceBuilder::new()
        .layer(TimeoutLayer::new(SECOND / 2))
        .layer(tower_http::timeout::ResponseBodyTimeoutLayer::new(5 * SECOND))
        .service(service);
    let began = Instant::now();
    let head = streaming.oneshot(Request::new(())).await.expect("the head is in time; the limit ends with it");
    let body = head.into_body().collect().await;
    let error = body.expect_err("the third piece comes too late");
    assert!(error.is::<tower_http::timeout::TimeoutError>(), "{error}");
    assert_eq!(began.elapsed(), 7 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_a_redirect_takes_is_part_of_its_attempt() {
    for (each, whole) in [(9 * SECOND, 18 * SECOND), (15 * SECOND, 20 * SECOND)] {
        let moved = service_fn(move |request: HttpRequest| async move {
            time::sleep(each).await;
            let answer = Response::builder().status(if request.uri().path() == "/v1" { 308 } else { 200 });
            answer.header("location", "/v2").body(Full::<Bytes>::default())
        });
        let foot = HttpLayer::new().layer(RedirectLayer::new().layer(moved));
        let request = Request::post("http://a/v1").body(Full::default()).expect("a valid request");
        let began = Instant::now();
        let (outcome, report) = report(Preset::interactive().retries(0).layer(foot).oneshot(request)).await;
        assert_eq!((began.elapsed(), report.attempts()), (whole, 1));
        match outcome {
            Ok(_) => assert_eq!(each, 9 * SECOND),
            Err(Failure::Elapsed(elapsed)) => assert_eq!((elapsed.scope(), each), (Scope::Attempt, 15 * SECOND)),
            Err(other) => panic!("{other}"),
        }
    }
}

/// Counts who still holds it.
struct Quiet;

impl Wake for Quiet {
    fn wake(self: Arc<Self>) {}
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_after_any_poll_leaves_nothing_behind() {
    let server = Arc::new(());
    for polls in 0..12 {
        let in_flight = Arc::clone(&server);
        let service = service_fn(move |_: Request<Full<Bytes>>| {
            let in_flight = Arc::clone(&in_flight);
            async move {
                time::sleep(SECOND).await;
                let mut answer = trickling(&[1.0, 1.0]).await;
                *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                answer.extensions_mut().insert(in_flight);
                Ok::<_, Infallible>(answer)
            }
        });
        let mut stack = ServiceBuilder::new()
            .layer(TimeoutLayer::new(60 * SECOND))
            .layer(RetryLayer::new([SECOND; 3]))
            .layer(BreakerLayer::new(Circuit::new(Trip::default())))
            .layer(TimeoutLayer::new(20 * SECOND))
            .layer(ClassifyLayer::new(Providers))
            .layer(CollectLayer::new(1_000))
            .service(service);
        let watch = Arc::new(Quiet);
        let waker = Waker::from(Arc::clone(&watch));
        {
            let request = Request::new(Full::new(Bytes::new()));
            let mut call = pin!(stack.ready().await.expect("always ready").call(request));
            for _ in 0..polls {
                if call.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    break;
                }
                time::sleep(SECOND / 2).await;
            }
        }
        drop((stack, waker));
        time::sleep(SECOND).await;
        assert_eq!(Arc::strong_count(&watch), 1, "no timer or task knows the caller after {polls} polls");
        assert_eq!(Arc::strong_count(&server), 1, "no answer is kept after {polls} polls");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_of_a_preset_can_be_changed_while_it_is_used() {
    let overall = trysail::Adjustable::new(60 * SECOND);
    let attempt = trysail::Adjustable::new(20 * SECOND);
    let mut service = Preset::interactive().retries(0).limits(overall.clone(), attempt.clone()).layer(hanging());
    for (overall_s, attempt_s, scope) in [(60, 20, Scope::Attempt), (60, 2, Scope::Attempt), (1, 2, Scope::Overall)] {
        overall.set(overall_s * SECOND);
        attempt.set(attempt_s * SECOND);
        let began = Instant::now();
        let call = service.ready().await.expect("always ready").call(EmbedRequest::new("model", ["text"]));
        let Err(Failure::Elapsed(elapsed)) = call.await else { panic!("nothing answers") };
        assert_eq!((elapsed.scope(), elapsed.verdict().class()), (scope, Class::Transient));
        assert_eq!(began.elapsed(), SECOND * overall_s.min(attempt_s));
    }
}
