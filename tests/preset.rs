//! The presets: what one call, and a run of calls, sends to a server that is in trouble.

use std::{
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::{
    task::JoinSet,
    time::{self, Instant},
};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt};
use trysail::{
    Backoff, CircuitSettings, Class, Classified, Deadline, Elapsed, EmbedRequest, Embeddings, Endpoint, Failure,
    HttpLayer, HttpRequest, Open, Preset, Rate, Trip, Verdict,
    breaker::State,
    report,
    retry::{Jitter, Stop},
    verdict::{Hold, Phase},
};

const SECOND: Duration = Duration::from_secs(1);
type Judged = Failure<Response<Bytes>, std::io::Error>;

fn request() -> EmbedRequest {
    EmbedRequest::new("model", ["text"])
}

/// A service that fails with `verdict` each time, and counts.
fn failing(verdict: Verdict) -> impl Service<EmbedRequest, Response = (), Error = Judged, Future: Send> + Clone {
    tower::service_fn(move |_| async move {
        Err::<(), _>(Failure::unanswered(verdict, std::io::ErrorKind::ConnectionReset.into()))
    })
}

#[tokio::test(start_paused = true)]
async fn an_interactive_call_is_tried_four_times_and_cannot_open_the_circuit_alone() {
    let preset = Preset::interactive();
    let (outcome, report) = report(preset.layer(failing(Verdict::TRANSIENT)).oneshot(request())).await;
    assert_eq!(outcome.expect_err("it fails").verdict(), Verdict::TRANSIENT);
    assert_eq!((report.attempts(), report.stop()), (4, Some(Stop::Attempts)));
    assert!(report.slept() <= 700 * SECOND / 1000);
    assert_eq!(preset.circuit().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_backoff_of_a_preset_can_be_another_one() {
    let backoff = Backoff::constant(SECOND).jitter(Jitter::None).retries(99);
    let preset = Preset::interactive().backoff(backoff);
    let (_, report) = report(preset.layer(failing(Verdict::TRANSIENT)).oneshot(request())).await;
    assert_eq!((report.attempts(), report.slept()), (4, 3 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn one_poisoned_bulk_call_cannot_open_the_circuit() {
    let preset = Preset::bulk();
    let (_, report) = report(preset.layer(failing(Verdict::TRANSIENT)).oneshot(request())).await;
    assert_eq!(report.attempts(), 21);
    assert_eq!(preset.circuit().snapshot().opened(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_interactive_call_is_refused_at_once_by_an_open_circuit() {
    let preset = Preset::interactive();
    preset.circuit().force_open();
    let began = Instant::now();
    let (outcome, report) = report(preset.layer(failing(Verdict::TRANSIENT)).oneshot(request())).await;
    assert!(matches!(outcome, Err(Failure::Open(_))));
    assert_eq!((report.attempts(), report.refusals(), report.stop()), (1, 1, Some(Stop::Refused)));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_bulk_call_outlives_an_outage() {
    let began = Instant::now();
    let service = tower::service_fn(move |_| async move {
        time::sleep(SECOND / 10).await;
        match began.elapsed() {
            up if up < 90 * SECOND => {
                Err(Judged::unanswered(Verdict::TRANSIENT, std::io::ErrorKind::ConnectionRefused.into()))
            }
            _ => Ok("vector"),
        }
    });
    let preset = Preset::bulk();
    let calls = (0..4).map(|_| tokio::spawn(report(preset.layer(service).oneshot(request()))));
    for call in calls.collect::<Vec<_>>() {
        let (outcome, report) = call.await.expect("no panic");
        assert_eq!(outcome.expect("the server came back"), "vector");
        assert!(report.attempts() - report.refusals() <= 21);
    }
    assert!(began.elapsed() < 130 * SECOND, "{:?}", began.elapsed());
    assert_eq!(preset.circuit().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn every_call_to_a_server_that_hangs_ends() {
    let hanging = tower::service_fn(|_| pending::<Result<(), Judged>>());
    for (preset, most) in [(Preset::interactive(), 60), (Preset::bulk(), 600)] {
        let began = Instant::now();
        let (outcome, report) = report(preset.layer(hanging).oneshot(request())).await;
        outcome.expect_err("a limit strikes");
        assert!(began.elapsed() <= most * SECOND, "{:?}", began.elapsed());
        assert_eq!(report.last().expect("attempts failed").class(), Class::Transient);
    }
}

#[tokio::test(start_paused = true)]
async fn the_requests_own_deadline_ends_it_without_blaming_the_server() {
    let hanging = tower::service_fn(|_| pending::<Result<(), Judged>>());
    let preset = Preset::interactive();
    for _ in 0..100 {
        let began = Instant::now();
        let outcome = preset.layer(hanging).oneshot(request().deadline(Deadline::within(SECOND / 2))).await;
        let Err(Failure::Elapsed(elapsed)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((elapsed.limit(), elapsed.verdict()), (SECOND / 2, Verdict::REFUSED));
        assert_eq!(began.elapsed(), SECOND / 2);
    }
    assert_eq!(preset.circuit().snapshot().streak(), 0);

    let late = preset.layer(hanging).oneshot(request().deadline(Deadline::within(Duration::ZERO))).await;
    let Err(Failure::Elapsed(elapsed)) = late else { panic!("{late:?}") };
    assert_eq!(elapsed.phase(), Phase::Refused);
}

#[test]
fn facts_are_small() {
    assert_eq!(size_of::<Verdict>(), 8);
    assert!(size_of::<Elapsed>() <= 24 && size_of::<Open>() <= 24);
}

#[tokio::test(start_paused = true)]
async fn what_is_set_of_the_circuit_stays_set_and_is_widened_to_fit() {
    let service = || failing(Verdict::TRANSIENT);
    let preset = Preset::interactive();
    let _ = preset.layer(service());
    let fits = CircuitSettings::default().abandoned_after(SECOND).lease(21 * SECOND);
    assert_eq!(preset.circuit().settings(), fits);
    let own = fits.lease(40 * SECOND).probes(2, 2).trip(Trip::consecutive(9).or_slow(9 * SECOND, 0.5));
    preset.circuit().set(own);
    let _ = preset.layer(service());
    assert_eq!(preset.circuit().settings(), own);
    let circuit = preset.circuit().clone();
    let _ = preset.attempt(2 * SECOND).retries(20).layer(service());
    assert_eq!(circuit.settings(), own.trip(Trip::consecutive(22).or_slow(2 * SECOND, 0.5)));
}

#[tokio::test(start_paused = true)]
async fn a_preset_says_what_its_circuit_is_called() {
    assert_eq!(Preset::interactive().circuit().name(), None);
    let preset = Preset::bulk().named("tei");
    assert_eq!(
        (preset.circuit().name(), preset.circuit().settings()),
        (Some("tei"), Preset::bulk().circuit().settings())
    );
}

/// A server that refuses the first call as too much for 20 s; and when it was asked, since it was made.
fn throttling()
-> (impl Service<EmbedRequest, Response = (), Error = Judged, Future: Send> + Clone + Send, Arc<Mutex<Vec<Duration>>>) {
    let (began, sent) = (Instant::now(), Arc::<Mutex<Vec<Duration>>>::default());
    let seen = Arc::clone(&sent);
    let service = tower::service_fn(move |_: EmbedRequest| {
        let mut sent = seen.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(began.elapsed());
        let is_first = sent.len() == 1;
        async move {
            time::sleep(SECOND / 10).await;
            let verdict = Verdict::THROTTLED.after(20 * SECOND);
            if is_first { Err(Judged::unanswered(verdict, std::io::ErrorKind::Other.into())) } else { Ok(()) }
        }
    });
    (service, sent)
}

#[tokio::test(start_paused = true)]
async fn the_wait_of_a_retry_and_the_pause_of_all_calls_are_the_same_time() {
    for preset in [Preset::interactive(), Preset::bulk()] {
        let (server, sent) = throttling();
        let service = preset.seed(7).layer(server);
        let begin = Instant::now();
        let mut calls = JoinSet::new();
        for call in 0..20 {
            let service = service.clone();
            calls.spawn(async move {
                time::sleep(call * SECOND).await;
                service.oneshot(request()).await.map(|()| call)
            });
        }
        while let Some(outcome) = calls.join_next().await {
            outcome.expect("it ends").expect("it is answered");
        }
        // The hint, and of what is spread after it at most a quarter.
        assert!(begin.elapsed() < SECOND * 255 / 10, "{:?}", begin.elapsed());
        let sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(sent.len() == 21 && sent[1..].iter().all(|at| *at >= 20 * SECOND), "{sent:?}");
        assert!(sent[2] > sent[1], "they come back one by one: {sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_turn_comes_after_its_time_is_refused_at_once_and_told_when_to_come_back() {
    for preset in [Preset::interactive().requests_per_minute(2), Preset::interactive()] {
        preset.pace().update(|pace| pace.requests(Rate::per_minute(2)));
        let service = preset.layer(tower::service_fn(|_: EmbedRequest| async { Ok::<_, Judged>(()) }));
        service.clone().oneshot(request()).await.expect("it has its turn");
        let begin = Instant::now();
        let hurried = request().deadline(Deadline::within(29 * SECOND));
        let Err(Failure::Held(held)) = service.clone().oneshot(hurried).await else { panic!("it is refused") };
        assert_eq!((held.hold(), held.retry_after(), begin.elapsed()), (Hold::Rate, 30 * SECOND, Duration::ZERO));
        service.oneshot(request().deadline(Deadline::within(31 * SECOND))).await.expect("it waits for its turn");
        assert_eq!(begin.elapsed(), 30 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_calls_with_a_dead_key_are_a_handful_of_requests() {
    for (preset, verdict) in [(Preset::interactive(), Verdict::AUTH), (Preset::bulk(), Verdict::QUOTA_EXHAUSTED)] {
        let sent = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&sent);
        let service = preset.layer(tower::service_fn(move |_: EmbedRequest| {
            seen.fetch_add(1, Relaxed);
            async move { Err::<(), _>(Judged::unanswered(verdict, std::io::ErrorKind::Other.into())) }
        }));
        for _ in 0..10_000 {
            let error = service.clone().oneshot(request()).await.expect_err("nobody is let in");
            assert_eq!(error.verdict().class(), verdict.class());
        }
        assert_eq!(sent.load(Relaxed), 2);
        preset.pace().reset();
        let _refused = service.oneshot(request()).await;
        assert_eq!(sent.load(Relaxed), 3, "the key was changed");
    }
}

#[tokio::test]
async fn what_answers_say_of_the_account_is_learnt_from_calls_of_every_kind() -> Result<(), BoxError> {
    let client = tower::service_fn(|_: HttpRequest| async {
        let answer = Response::builder()
            .header("x-ratelimit-limit-requests", "600")
            .header("x-ratelimit-remaining-requests", "599")
            .header("x-ratelimit-limit-tokens", "1000")
            .header("x-ratelimit-remaining-tokens", "993");
        let body = r#"{"data":[{"embedding":[1,0]}],"usage":{"prompt_tokens":7,"total_tokens":7}}"#;
        Ok::<_, std::convert::Infallible>(answer.body(Full::<Bytes>::from(body)).expect("an answer"))
    });
    let (typed, plain, boxed) = (Preset::interactive(), Preset::interactive(), Preset::interactive());
    let http = || ServiceBuilder::new().layer(HttpLayer::new()).service(client);
    let calls = Embeddings::new(http(), Endpoint::openai("http://localhost/v1")?);
    let usage = calls.usage().clone();
    typed.layer(calls).oneshot(request()).await?;
    let get = || Request::get("http://localhost/").body(Full::default());
    plain.layer(http()).oneshot(get()?).await?;
    boxed.layer(http().map_err(BoxError::from)).oneshot(get()?).await?;
    for (preset, cost) in [(&typed, 7), (&plain, 0), (&boxed, 0)] {
        let pace = preset.pace().snapshot();
        let a_minute = |rate: Option<Rate>| rate.map(|rate| rate.within(60 * SECOND).round());
        assert_eq!((a_minute(pace.request_rate()), a_minute(pace.cost_rate())), (Some(600.0), Some(1_000.0)));
        assert_eq!(pace.spending().answered().cost(), cost);
    }
    let used = usage.snapshot().answered();
    assert_eq!((used.requests(), used.inputs(), used.bytes(), used.tokens()), (1, 1, 4, 7));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_one_credential_is_told_is_not_taken_for_others() -> Result<(), BoxError> {
    let foot = |request: HttpRequest| async move {
        let key = request.headers().get("authorization").and_then(|key| key.to_str().ok()).unwrap_or("none").to_owned();
        let status = match &*key {
            "Bearer dead" => 401,
            "Bearer busy" => 429,
            _ => 200,
        };
        let body = r#"{"data":[{"embedding":[1,0]}]}"#;
        let answer = Response::builder().status(status).header("retry-after", "1800").body(Full::<Bytes>::from(body));
        Ok::<_, std::convert::Infallible>(answer.expect("an answer"))
    };
    let http = || ServiceBuilder::new().layer(HttpLayer::new()).service(tower::service_fn(foot));
    let typed = Preset::interactive().layer(Embeddings::new(http(), Endpoint::openai("http://localhost/v1")?));
    let plain = Preset::interactive().layer(http());
    let keys = ["Bearer one", "Bearer dead", "Bearer busy", "Bearer two"];
    for key in keys.iter().cycle().take(40) {
        let good = ["Bearer one", "Bearer two"].contains(key);
        let asked = typed.clone().oneshot(request().header("authorization", key)?).await;
        assert_eq!(asked.is_ok(), good, "{key}: {asked:?}");
        let get = Request::get("http://localhost/").header("authorization", *key).body(Full::default())?;
        let asked = plain.clone().oneshot(get).await;
        assert_eq!(asked.is_ok(), good, "{key}: {asked:?}");
        typed.clone().oneshot(request()).await.expect("the key of the endpoint is another still");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn rates_that_are_set_are_those_of_each_credential() -> Result<(), BoxError> {
    let foot = |_: HttpRequest| async { Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default())) };
    let preset = Preset::interactive().requests_per_minute(2);
    let service = preset.layer(ServiceBuilder::new().layer(HttpLayer::new()).service(tower::service_fn(foot)));
    let begin = Instant::now();
    for (key, at) in [("one", 0), ("two", 0), ("one", 30), ("two", 30), ("one", 60)] {
        let get = Request::get("http://localhost/").header("authorization", key).body(Full::default())?;
        service.clone().oneshot(get).await?;
        assert_eq!(begin.elapsed(), at * SECOND, "{key}");
    }
    assert_eq!(preset.pace().snapshot().waited(), 2, "that of the first");
    Ok(())
}
