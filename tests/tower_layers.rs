//! Layers of tower's among ours: what their own errors count as.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::{self, Instant};
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt, balance::p2c::Balance, discover::ServiceList, load::Constant,
    service_fn, spawn_ready::SpawnReady, steer::Steer, util::Optional,
};
use trysail::{
    Backoff, BreakerLayer, Circuit, Class, Classified, RetryLayer, Trip, Verdict,
    breaker::State,
    report,
    verdict::{Health, Scope},
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

/// Fails each call with this verdict, and counts.
fn failing(
    verdict: Verdict,
) -> (Arc<AtomicUsize>, impl Service<(), Response = (), Error = Verdict, Future: Send> + Clone + Send + 'static) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&sent);
    let service = service_fn(move |(): ()| {
        counts.fetch_add(1, Relaxed);
        async move { Err::<(), _>(verdict) }
    });
    (sent, service)
}

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(MS))
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_between_retry_and_breaker_counts_each_attempt() {
    let (sent, service) = failing(Verdict::TRANSIENT);
    let stack = ServiceBuilder::new()
        .layer(retry())
        .buffer(8)
        .rate_limit(1, 1_000 * MS)
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .map_err(BoxError::from)
        .service(service);
    let began = Instant::now();
    let error = stack.oneshot(()).await.expect_err("it fails");
    assert_eq!((error.verdict(), sent.load(Relaxed)), (Verdict::TRANSIENT, 4));
    assert!(began.elapsed() >= 3_000 * MS, "{:?}", began.elapsed());
}

/// tower's retry needs a policy: three repetitions, whatever came.
#[derive(Clone)]
struct ThreeTimes(u32);

impl<T, E> tower::retry::Policy<(), T, E> for ThreeTimes {
    type Future = std::future::Ready<()>;

    fn retry(&mut self, (): &mut (), outcome: &mut Result<T, E>) -> Option<Self::Future> {
        self.0 = if outcome.is_err() { self.0.checked_sub(1)? } else { return None };
        Some(std::future::ready(()))
    }

    fn clone_request(&mut self, (): &()) -> Option<()> {
        Some(())
    }
}

#[tokio::test(start_paused = true)]
async fn towers_retry_beside_ours_multiplies_attempts() {
    let (sent, service) = failing(Verdict::TRANSIENT);
    let stack = ServiceBuilder::new().layer(retry()).retry(ThreeTimes(3)).service(service);
    stack.oneshot(()).await.expect_err("it fails");
    assert_eq!(sent.load(Relaxed), 16);
}

#[tokio::test(start_paused = true)]
async fn steer_over_whole_stacks_leaves_each_its_circuit() {
    let circuits = [Circuit::new(Trip::consecutive(1)), Circuit::new(Trip::consecutive(1))];
    let stacks = circuits.each_ref().map(|circuit| {
        let healthy = service_fn(|at: usize| async move { Ok::<_, BoxError>(at) });
        BreakerLayer::new(circuit.clone()).layer(healthy)
    });
    circuits[0].force_open();
    let mut steer = Steer::new(stacks, |at: &usize, _: &[_]| *at);
    let refused = steer.ready().await.expect("an open circuit is ready").call(0).await.expect_err("open");
    assert_eq!(refused.verdict().class(), Class::Refused);
    assert_eq!(steer.ready().await.expect("ready").call(1).await.expect("the other is well"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_balancer_leaves_an_endpoint_alone_whose_circuit_is_open() {
    let circuits = [Circuit::new(Trip::consecutive(1)), Circuit::new(Trip::consecutive(1))];
    let endpoints = [0, 1].map(|at: usize| {
        let healthy = service_fn(move |(): ()| async move { Ok::<_, BoxError>(at) });
        let breaker = BreakerLayer::new(circuits[at].clone()).pending_while_open();
        Constant::new(breaker.layer(healthy), 1_u32)
    });
    let mut balance = Balance::new(ServiceList::new(endpoints));
    circuits[0].force_open();
    for _ in 0..20 {
        assert_eq!(balance.ready().await.expect("one is well").call(()).await.expect("it answers"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_of_spawn_ready_that_panicked_is_transient() {
    #[derive(Debug)]
    struct Panics;
    impl Service<()> for Panics {
        type Response = ();
        type Error = BoxError;
        type Future = std::future::Ready<Result<(), BoxError>>;

        fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
            // It is spawned only if it is not ready at once.
            match tokio::task::try_id() {
                Some(_) => panic!("while it becomes ready"),
                None => {
                    cx.waker().wake_by_ref();
                    std::task::Poll::Pending
                }
            }
        }

        fn call(&mut self, (): ()) -> Self::Future {
            unreachable!("never ready")
        }
    }
    let mut service = SpawnReady::new(Panics);
    let error = service.ready().await.expect_err("the task has panicked");
    assert_eq!(error.verdict(), Verdict::TRANSIENT);
}

#[tokio::test(start_paused = true)]
async fn between_judge_and_retry_another_error_has_to_say_its_verdict_too() {
    let (sent, service) = failing(Verdict::PERMANENT);
    let boxed = ServiceBuilder::new().layer(retry()).map_err(BoxError::from).service(service.clone());
    assert_eq!(boxed.oneshot(()).await.expect_err("it fails").verdict(), Verdict::PERMANENT);
    assert_eq!(sent.swap(0, Relaxed), 1);
    // Words have no verdict: what would fail again is asked again.
    let words = ServiceBuilder::new().layer(retry()).map_err(|error: Verdict| BoxError::from(error.to_string()));
    assert_eq!(words.service(service).oneshot(()).await.expect_err("it fails").verdict(), Verdict::TRANSIENT);
    assert_eq!(sent.load(Relaxed), 4);
}

#[tokio::test(start_paused = true)]
async fn an_option_a_map_and_a_box_keep_the_error() {
    for breaker in [None, Some(BreakerLayer::new(Circuit::new(Trip::consecutive(1))))] {
        let service = service_fn(|(): ()| async { Err::<(), _>(trysail::Failure::<(), Verdict>::from(fact())) });
        let stack = ServiceBuilder::new()
            .layer(retry())
            .option_layer(breaker)
            .map_request(|()| ())
            .map_response(|()| ())
            .service(service.boxed_clone());
        let error: trysail::Failure<(), Verdict> = stack.oneshot(()).await.expect_err("it fails");
        assert!(matches!(error, trysail::Failure::Elapsed(elapsed) if elapsed == fact()));
    }
}

fn fact() -> trysail::Elapsed {
    trysail::Elapsed::new(Scope::Attempt, MS)
}

#[tokio::test(start_paused = true)]
async fn an_optional_of_towers_that_holds_nothing_is_transient() {
    let nothing = Optional::new(None::<tower::util::BoxCloneService<(), (), BoxError>>);
    let error = nothing.oneshot(()).await.expect_err("there is no service");
    assert_eq!(error.verdict(), Verdict::TRANSIENT);
}
