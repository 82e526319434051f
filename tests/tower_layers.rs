//! Layers of tower's among ours: what their own errors count as.

use std::{convert::Infallible, io, time::Duration};

use tokio::time;
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Backoff, BreakerLayer, Circuit, Class, Classified, RetryLayer, Trip, Verdict, breaker::State, report,
    verdict::Health,
};

const MS: Duration = Duration::from_millis(1);

/// 60 calls at once to a healthy server, of which four at a time get through.
async fn shed(circuit: &Circuit) -> usize {
    let healthy = service_fn(|(): ()| async {
        time::sleep(10 * MS).await;
        Ok::<_, Infallible>(())
    });
    let stack = ServiceBuilder::new()
        .layer(BreakerLayer::new(circuit.clone()))
        .load_shed()
        .concurrency_limit(4)
        .service(healthy);
    let calls: Vec<_> = (0..60).map(|_| tokio::spawn(stack.clone().oneshot(()))).collect();
    let mut answered = 0;
    for call in calls {
        answered += usize::from(call.await.expect("no panic").is_ok());
    }
    answered
}

#[tokio::test(start_paused = true)]
async fn load_shed_over_a_limit_of_4_below_a_breaker_does_not_open_the_circuit_of_a_healthy_server() {
    for trip in [Trip::consecutive(5), Trip::default()] {
        let circuit = Circuit::new(trip);
        for _ in 0..3 {
            // The circuit opened after these four answers, and the next ones were refused.
            assert_eq!(shed(&circuit).await, 4);
        }
        assert_eq!((circuit.state(), circuit.snapshot().streak()), (State::Closed, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_one_feature_that_changes_a_default_is_tower() {
    // Without it, each of these is an error like any other: transient, and a failure of the server
    // (`without_the_feature_tower_its_errors_are_like_any_other` in trysail-core).
    let overloaded: BoxError = tower::load_shed::error::Overloaded::new().into();
    let elapsed: BoxError = tower::timeout::error::Elapsed::new().into();
    assert_eq!((overloaded.verdict(), elapsed.verdict()), (Verdict::REFUSED, Verdict::TRANSIENT));
    assert_eq!(BoxError::from("any other").verdict(), Verdict::TRANSIENT);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_shed_is_not_repeated() {
    let never = service_fn(|(): ()| std::future::pending::<Result<(), Infallible>>());
    let limited = ServiceBuilder::new().load_shed().concurrency_limit(1).service(never);
    let _held = tokio::spawn(limited.clone().oneshot(()));
    time::sleep(MS).await;
    let retry = ServiceBuilder::new().layer(RetryLayer::new(Backoff::exponential(100 * MS))).service(limited);
    let (outcome, report) = report(retry.oneshot(())).await;
    assert_eq!((outcome.expect_err("shed").verdict().class(), report.attempts()), (Class::Refused, 1));
}

#[tokio::test(start_paused = true)]
async fn towers_own_timeout_counts_as_ours() {
    let hanging = service_fn(|(): ()| std::future::pending::<Result<(), Infallible>>());
    let circuit = Circuit::new(Trip::consecutive(4));
    let stack = ServiceBuilder::new()
        .layer(RetryLayer::new(Backoff::exponential(100 * MS)))
        .layer(BreakerLayer::new(circuit.clone()))
        .timeout(100 * MS)
        .service(hanging);
    let (outcome, report) = report(stack.oneshot(())).await;
    let verdict = outcome.expect_err("a limit strikes").verdict();
    assert_eq!((verdict, verdict.health()), (Verdict::TRANSIENT, Health::Failure));
    assert_eq!((report.attempts(), circuit.state()), (4, State::Open));
}

#[tokio::test(start_paused = true)]
async fn a_filter_says_itself_what_its_refusal_counts_as() {
    let service = service_fn(|(): ()| async { Ok::<_, Infallible>(()) });
    let circuit = Circuit::new(Trip::consecutive(1));
    let stack = ServiceBuilder::new()
        .layer(RetryLayer::new(Backoff::exponential(100 * MS)))
        .layer(BreakerLayer::new(circuit.clone()))
        .filter(|(): ()| Err::<(), BoxError>(Verdict::PERMANENT.neutral().into()))
        .service(service);
    let (outcome, report) = report(stack.oneshot(())).await;
    assert_eq!((outcome.expect_err("refused").verdict(), report.attempts()), (Verdict::PERMANENT.neutral(), 1));
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_buffer_whose_worker_is_gone_says_nothing_about_the_server() {
    let service = service_fn(|(): ()| async { Ok::<_, io::Error>(()) });
    let (buffer, worker) = tower::buffer::Buffer::pair(service, 8);
    drop(worker);
    let circuit = Circuit::new(Trip::consecutive(2));
    let mut stack = ServiceBuilder::new().layer(BreakerLayer::new(circuit.clone())).service(buffer);
    let Err(error) = stack.ready().await else { panic!("nobody is there") };
    assert!(error.is::<tower::buffer::error::Closed>(), "{error:?}");
    assert_eq!((error.verdict(), circuit.state()), (Verdict::REFUSED, State::Closed));
}
