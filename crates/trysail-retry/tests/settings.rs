//! Settings that change while calls run.

use std::time::Duration;

use tokio::time::{self, Instant};
use tower::{Layer, ServiceExt, service_fn};
use trysail_core::{Replay, Verdict};
use trysail_retry::{Backoff, Budget, BudgetSettings, Jitter, RetryHandle, RetryLayer, RetrySettings, Stop, report};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn settings(retries: u32) -> RetrySettings {
    RetrySettings::new(Backoff::constant(SECOND).jitter(Jitter::None).retries(retries))
}

async fn failing(layer: RetryLayer, verdict: Verdict) -> (u32, Option<Stop>, Duration) {
    let began = Instant::now();
    let server = service_fn(move |(): ()| async move { Err::<(), _>(verdict) });
    let (_, report) = report(layer.layer(server).oneshot(())).await;
    (report.attempts(), report.stop(), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn retries_backoff_and_patience_change_while_services_run() {
    let handle = RetryHandle::new(settings(0));
    let server = service_fn(|(): ()| async { Err::<(), _>(Verdict::TRANSIENT) });
    let service = RetryLayer::adjustable(&handle).layer(server);
    for retries in [0, 2, 1] {
        handle.set(settings(retries));
        let (_, report) = report(service.clone().oneshot(())).await;
        assert_eq!((report.attempts(), report.stop()), (retries + 1, Some(Stop::Attempts)));
    }
    let hinted = Verdict::TRANSIENT.after(10 * SECOND);
    handle.update(|settings| settings.patience(9 * SECOND));
    assert_eq!(failing(RetryLayer::adjustable(&handle), hinted).await.1, Some(Stop::Patience));
    handle.update(|settings| settings.map_backoff(|backoff| backoff.retries(0)));
    assert_eq!(failing(RetryLayer::adjustable(&handle), Verdict::TRANSIENT).await.0, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_keeps_to_the_settings_it_first_failed_with() {
    let handle = RetryHandle::new(settings(5));
    let call = tokio::spawn(failing(RetryLayer::adjustable(&handle), Verdict::TRANSIENT));
    time::sleep(SECOND / 2).await;
    handle.set(settings(0));
    assert_eq!(call.await.expect("no panic").0, 6);
    assert_eq!(failing(RetryLayer::adjustable(&handle), Verdict::TRANSIENT).await.0, 1);
}

#[tokio::test(start_paused = true)]
async fn a_setter_of_a_layer_leaves_the_handle_alone() {
    let handle = RetryHandle::new(settings(1));
    let hinted = Verdict::TRANSIENT.after(10 * SECOND);
    assert_eq!(failing(RetryLayer::adjustable(&handle).patience(SECOND), hinted).await.1, Some(Stop::Patience));
    assert_eq!(failing(RetryLayer::adjustable(&handle), hinted).await.1, Some(Stop::Attempts));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_budget_clamps_and_never_refills() {
    let budget = Budget::new(BudgetSettings::default().floor(10));
    let holds = |expected: f64| assert!((budget.snapshot().retries - expected).abs() < 0.01, "{budget:?}");
    holds(10.0);
    budget.update(|settings| settings.floor(4));
    // The room is 0.2 of 10 s of calls, and there were none.
    holds(4.0);
    budget.set(BudgetSettings::default().floor(20));
    holds(4.0);
    assert_eq!(budget.snapshot().capacity, 20.0);
    time::sleep(14 * SECOND + MS).await;
    holds(5.0);
}

#[test]
fn a_retry_never_costs_more_than_there_can_be_room_for() {
    let budget = Budget::new(BudgetSettings::default().ceiling(2).costs(1e9, 1e9));
    assert!(budget.withdraw(Verdict::TRANSIENT, Instant::now()).is_some());
    assert!(budget.withdraw(Verdict::TRANSIENT, Instant::now()).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_set_to_none_marks_nothing() {
    #[derive(Clone)]
    struct Marks;
    impl Replay<u32> for Marks {
        fn replay(&self, request: &u32) -> Option<u32> {
            Some(*request)
        }
        fn mark(&self, request: &mut u32, attempt: u32) {
            *request = attempt;
        }
    }
    let handle = RetryHandle::new(settings(0));
    let server = service_fn(|request: u32| async move { Ok::<_, Verdict>(request) });
    let service = RetryLayer::adjustable(&handle).replay(Marks).layer(server);
    assert_eq!(service.clone().oneshot(0).await, Ok(0));
    handle.set(settings(1));
    assert_eq!(service.clone().oneshot(0).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn by_default_it_asks_three_times_more_from_100_ms_on() {
    let delays: Vec<_> = Backoff::default().jitter(Jitter::None).into_iter().collect();
    assert_eq!(delays, [100, 200, 400].map(Duration::from_millis));
    let (attempts, stop, took) = failing(RetryLayer::default(), Verdict::TRANSIENT).await;
    assert_eq!((attempts, stop), (4, Some(Stop::Attempts)));
    assert!(took <= Duration::from_millis(703), "{took:?}");
    let (attempts, ..) =
        failing(RetryLayer::adjustable(&RetryHandle::new(RetrySettings::default())), Verdict::TRANSIENT).await;
    assert_eq!(attempts, 4);
}
