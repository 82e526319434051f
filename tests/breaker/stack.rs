//! The circuit inside the whole stack: what it costs a healthy server's callers, and spares a dead one.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{self, Instant},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Backoff, BreakerLayer, Budget, Circuit, EmbedRequest, Failure, Preset, RetryLayer, Trip, Verdict, breaker::State,
    report, retry::Stop, verdict::Random,
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);
type Judged = Failure<(), std::io::Error>;

fn failed(verdict: Verdict) -> Judged {
    Failure::unanswered(verdict, std::io::ErrorKind::ConnectionReset.into())
}

fn request() -> EmbedRequest {
    EmbedRequest::new("model", ["text"])
}

/// How many of the calls of a minute or more succeed, if one request in so many fails by itself.
async fn successes(preset: &Preset, calls_a_second: u32, errors: f64) -> f64 {
    let calls = (60 * calls_a_second).max(600);
    let random = Arc::new(Random::seeded(42));
    let service = service_fn(move |_| {
        let fails = random.below(1_000) < (errors * 1_000.0) as u64;
        async move {
            time::sleep(50 * MS).await;
            if fails { Err(failed(Verdict::TRANSIENT)) } else { Ok(()) }
        }
    });
    let mut running = JoinSet::new();
    for _ in 0..calls {
        running.spawn(preset.layer(service.clone()).oneshot(request()));
        time::sleep(SECOND / calls_a_second).await;
    }
    let ends = running.join_all().await;
    100.0 * ends.iter().filter(|end| end.is_ok()).count() as f64 / f64::from(calls)
}

#[tokio::test(start_paused = true)]
async fn independent_errors_do_not_open_the_circuit_of_a_busy_caller() {
    for (calls_a_second, least) in [(1, 10.0), (10, 2.0), (100, 2.0)] {
        for errors in [0.1, 0.2, 0.3] {
            let without = Preset::interactive();
            without.circuit().disable();
            let without = successes(&without, calls_a_second, errors).await;
            let with = successes(&Preset::interactive(), calls_a_second, errors).await;
            println!("{calls_a_second}/s, {errors}: {with:.1} % with a breaker, {without:.1} % without");
            assert!(with >= without - least, "{calls_a_second}/s, {errors}: {with} % of {without} %");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_died_gets_at_most_thirty_requests_before_the_circuit_opens() {
    // One that fails at once; where failing takes a while, those come on top that are in flight when the last is missing.
    for (calls_a_second, fails_after, most) in [(1, MS, 30), (10, MS, 30), (100, MS, 30), (100, 50 * MS, 40)] {
        let preset = Preset::interactive();
        let dead_from = Instant::now() + 20 * SECOND;
        let requests = Arc::new(AtomicU32::new(0));
        let (circuit, counted) = (preset.circuit().clone(), Arc::clone(&requests));
        let service = service_fn(move |_| {
            let dead = Instant::now() >= dead_from;
            if dead && circuit.snapshot().opened() == 0 {
                counted.fetch_add(1, Relaxed);
            }
            async move {
                time::sleep(fails_after).await;
                if dead { Err(failed(Verdict::TRANSIENT)) } else { Ok(()) }
            }
        });
        let mut running = JoinSet::new();
        for _ in 0..40 * calls_a_second {
            running.spawn(preset.layer(service.clone()).oneshot(request()));
            time::sleep(SECOND / calls_a_second).await;
        }
        running.join_all().await;
        assert!(preset.circuit().snapshot().opened() > 0);
        let requests = requests.load(Relaxed);
        println!("{requests} requests at {calls_a_second}/s, each failed after {fails_after:?}");
        assert!(requests <= most, "{requests} requests at {calls_a_second}/s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_probe_that_hangs_and_a_second_that_succeeds_close_it_after_five_seconds() {
    let preset = Preset::interactive();
    let dead = service_fn(|_| async { Err::<(), _>(failed(Verdict::TRANSIENT)) });
    while preset.circuit().state() == State::Closed {
        let _ = preset.layer(dead).oneshot(request()).await;
    }
    time::advance(preset.circuit().snapshot().next_probe().expect("it is open") + MS).await;
    let hung = tokio::spawn(preset.layer(service_fn(|_| pending::<Result<(), Judged>>())).oneshot(request()));
    tokio::task::yield_now().await;
    let alive = service_fn(|_| async { Ok::<_, Judged>(()) });
    for _ in 0..10 {
        preset.layer(alive).oneshot(request()).await.expect_err("one probe is out");
        time::advance(SECOND / 2).await;
    }
    // The circuit's clock ticks in milliseconds.
    time::advance(MS).await;
    preset.layer(alive).oneshot(request()).await.expect("the second probe");
    assert_eq!(preset.circuit().state(), State::Closed);
    hung.abort();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_circuit_is_not_retried_and_costs_nothing() {
    let (circuit, budget) = (Circuit::new(Trip::consecutive(3)), Budget::default());
    let requests = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&requests);
    let mut service = ServiceBuilder::new()
        .layer(RetryLayer::new(Backoff::constant(SECOND / 10).retries(6)).budget(budget.clone()))
        .layer(BreakerLayer::new(circuit.clone()))
        .service(service_fn(move |()| {
            counted.fetch_add(1, Relaxed);
            async { Err::<(), _>(failed(Verdict::TRANSIENT)) }
        }));
    let before = budget.snapshot().retries;
    let (outcome, seen) = report(service.ready().await.expect("ready").call(())).await;
    assert!(matches!(outcome, Err(Failure::Service(_))), "the last error of the server: {outcome:?}");
    assert_eq!((requests.load(Relaxed), seen.refusals(), seen.stop()), (3, 1, Some(Stop::Refused)));
    let after = budget.snapshot().retries;
    assert!((before - after - 2.0).abs() < 0.1, "two retries were sent: {before} - {after}");

    let began = Instant::now();
    let (outcome, seen) = report(service.ready().await.expect("ready").call(())).await;
    assert!(matches!(outcome, Err(Failure::Open(_))));
    assert_eq!((requests.load(Relaxed), seen.attempts(), seen.stop()), (3, 1, Some(Stop::Refused)));
    assert_eq!((began.elapsed(), budget.snapshot().retries), (Duration::ZERO, after));
}
