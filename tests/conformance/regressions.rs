//! Situations in which some project shipped a bug, on retries and budgets.
//!
//! Shown elsewhere: one of two threads gets the only retry (`trysail-retry`, `account/tests.rs`, under loom); retries
//! that sleep count against the budget, and refusals cost nothing (`trysail-retry`, `tests/charges.rs`); a preset's
//! budget is wired, a hint equal to the patience, a retry beyond the deadline, a hundred clients told to come back
//! (`retry.rs`, `hints.rs` and `backoff.rs` beside this file).

use std::{
    iter::repeat_n,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
};

use http_body_util::BodyExt;
use tower::{ServiceBuilder, service_fn};
use trysail::{
    Backoff, BreakerLayer, Budget, Circuit, ClassifyLayer, CollectLayer, Idempotent, Providers, RetryLayer, Trip,
    retry::{BudgetSettings, Jitter, Stop},
};

use super::*;

fn exact() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(100 * MS).jitter(Jitter::None))
}

#[tokio::test(start_paused = true)]
async fn a_hundred_waits_for_an_empty_budget_do_not_add_up() {
    let budget = Budget::default();
    let began = Instant::now();
    let service = exact()
        .seed(7)
        .budget(budget.clone())
        .patient()
        .within(30 * SECOND)
        .layer(service_fn(|(): ()| async { Err::<(), _>(Verdict::TRANSIENT) }));
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(report(service.clone().oneshot(())))).collect();
    let mut retries = 0;
    for call in calls {
        let (outcome, report) = call.await.expect("no panic");
        assert_eq!(outcome, Err(Verdict::TRANSIENT));
        assert!(report.slept() <= 30 * SECOND, "{:?}", report.slept());
        assert!(budget.snapshot().retries >= 0.0);
        retries += report.attempts() - 1;
    }
    assert!(began.elapsed() <= 30 * SECOND);
    // A hundred calls make room for 20; nothing but the floor and the time fills it. While no call begins, one that waits
    // probes: after 5, 6, 7, 8, 10, 12, 15, 18, 23 and 28 s.
    assert_eq!(retries, 3 + 30 / 14 + 10);
}

#[test]
fn sixty_per_cent_are_sixty_per_cent() {
    let (budget, now) = (Budget::new(BudgetSettings::ratio(0.6).floor(0)), Instant::now());
    let granted = (0..10_000).filter(|_| {
        budget.begin(|| now);
        budget.succeed(Default::default());
        budget.withdraw(Verdict::TRANSIENT, now).is_some()
    });
    assert_eq!(granted.count(), 6_000);
}

#[test]
fn of_a_hundred_threads_as_many_get_a_retry_as_there_are() {
    for _ in 0..20 {
        let (budget, now) = (Budget::default(), Instant::now());
        let granted = thread::scope(|scope| {
            let threads: Vec<_> =
                (0..100).map(|_| scope.spawn(|| budget.withdraw(Verdict::TRANSIENT, now).is_some())).collect();
            threads.into_iter().map(|thread| u32::from(thread.join().expect("no panic"))).sum::<u32>()
        });
        assert_eq!(granted, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_fails_without_sleeping_and_with_the_servers_error() {
    let run = run(exact().budget(Budget::new(BudgetSettings::default().floor(0))), [Verdict::MALFORMED]).await;
    assert_eq!((run.outcome, run.wire, run.took), (Err(Verdict::MALFORMED), 1, Duration::ZERO));
    assert_eq!(run.report.stop(), Some(Stop::Budget));
}

#[tokio::test(start_paused = true)]
async fn retries_do_not_make_room_for_retries() {
    let budget = Budget::default();
    for _ in 0..50 {
        let run = run(exact().budget(budget.clone()), [Verdict::TRANSIENT, Verdict::TRANSIENT, Verdict::SUCCESS]).await;
        assert_eq!(run.wire, 3);
    }
    // 50 calls of 0.3 s each, of which the last 8 to 10 s count: their share, and not that of thrice as many requests.
    let capacity = budget.snapshot().capacity;
    assert!((0.2 * 26.0..=0.2 * 34.0).contains(&capacity), "{capacity}");
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_when_they_begin() {
    let budget = Budget::default();
    let never = service_fn(|(): ()| std::future::pending::<Result<(), Verdict>>());
    let calls: Vec<_> =
        (0..50).map(|_| tokio::spawn(exact().budget(budget.clone()).layer(never).oneshot(()))).collect();
    tokio::task::yield_now().await;
    assert_eq!(budget.snapshot().capacity, 10.0);
    calls.iter().for_each(|call| call.abort());
    not_ours("regressions", "25, the window", "it is ten seconds however long a call takes; a floor is always there");
}

#[tokio::test(start_paused = true)]
async fn a_stack_inside_a_stack_asks_four_times_and_not_sixteen() {
    let server = Scripted::new(repeat_n((), 16).map(|()| Ok::<_, Infallible>(answer(503, &[], ""))));
    let stack = ServiceBuilder::new()
        .layer(exact().replay(Idempotent))
        .layer(exact().replay(Idempotent))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1_000))
        .service(server.clone());
    let outcome: Result<_, Judged> = stack.oneshot(embedding_request()).await;
    assert!(outcome.is_err());
    assert_eq!(server.calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_empty_account_is_asked_once() {
    let body = r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota","message":"over quota"}}"#;
    let server = Scripted::new([Ok::<_, Infallible>(answer(429, &[("retry-after", "1")], body))]);
    let stack = ServiceBuilder::new()
        .layer(exact().replay(Idempotent))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1_000))
        .service(server.clone());
    let failure: Judged = stack.oneshot(embedding_request()).await.expect_err("no money");
    assert_eq!((failure.verdict().class(), server.calls()), (Class::QuotaExhausted, 1));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_sends_the_whole_body_and_the_answer_outlives_them_all() {
    let read = Arc::new(Mutex::new(Vec::new()));
    let attempts = Arc::new(AtomicU32::new(0));
    let server = service_fn({
        let read = Arc::clone(&read);
        move |request: HttpRequest| {
            let (read, attempt) = (Arc::clone(&read), attempts.fetch_add(1, Relaxed));
            async move {
                let body = request.into_body().collect().await.expect("infallible").to_bytes();
                read.lock().expect("no panic").push(body);
                Ok::<_, Infallible>(if attempt < 2 { answer(503, &[], "") } else { answer(200, &[], r#"{"data":[]}"#) })
            }
        }
    });
    let stack = ServiceBuilder::new()
        .layer(exact().replay(Idempotent))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1_000))
        .service(server);
    let request = embedding_request().map(|_| Full::new(Bytes::from_static(b"input")));
    let outcome: Result<_, Judged> = stack.oneshot(request).await;
    assert_eq!(outcome.expect("the third answer").body(), r#"{"data":[]}"#);
    assert_eq!(*read.lock().expect("no panic"), ["input"; 3]);
}

#[test]
fn ten_thousand_retries_need_no_more_stack_than_one() {
    let small = thread::Builder::new().stack_size(256 << 10).spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let layer = RetryLayer::new(repeat_n(Duration::ZERO, 10_000));
        runtime.expect("a runtime").block_on(run(layer, repeat_n(Verdict::TRANSIENT, 10_001)))
    });
    let run = small.expect("a thread").join().expect("no overflow");
    assert_eq!((run.wire, run.report.stop()), (10_001, Some(Stop::Attempts)));
}
