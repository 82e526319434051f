//! Waits that are bounded by time: for a limit of the server's, for readiness, for the budget.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{self, Instant};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use tower_test::{assert_request_eq, mock};
use trysail_core::{Cause, Class, Classified, Open, Verdict, Window};
use trysail_retry::{Backoff, Budget, BudgetSettings, Jitter, RetryLayer, RetryReport, Stop, report};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// As the interactive preset sets it.
fn interactive(budget: &Budget) -> RetryLayer {
    RetryLayer::new(Backoff::exponential(100 * MS)).within(60 * SECOND).budget(budget.clone())
}

/// What a call is told as long as the server throttles it.
type Says = fn(Instant) -> Option<Verdict>;

/// One call to a server that answers as `says`, in 20 ms.
async fn call(layer: RetryLayer, began: Instant, says: Says) -> (Result<(), Verdict>, RetryReport) {
    let server = service_fn(move |(): ()| async move {
        time::sleep(20 * MS).await;
        says(began).map_or(Ok(()), Err)
    });
    report(layer.layer(server).oneshot(())).await
}

fn until(began: Instant, seconds: u32, verdict: Verdict) -> Option<Verdict> {
    (began.elapsed() < seconds * SECOND).then_some(verdict)
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_outlasts_its_minute() {
    let hinted = Verdict::THROTTLED.after(166 * MS);
    assert_eq!(hinted.retry_after(), Some(166 * MS));
    let servers: [Says; 4] = [
        |began| until(began, 30, Verdict::THROTTLED),
        |began| until(began, 55, Verdict::THROTTLED),
        |began| until(began, 30, Verdict::THROTTLED.after(166 * MS)),
        |began| until(began, 55, Verdict::THROTTLED.after(166 * MS)),
    ];
    for says in servers {
        for _ in 0..100 {
            let began = Instant::now();
            let (outcome, report) = call(interactive(&Budget::default()), began, says).await;
            assert_eq!(outcome, Ok(()), "{report:?}");
            assert!(began.elapsed() <= 60 * SECOND && report.attempts() <= 8, "{report:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_throttled_for_ever_ends_by_its_deadline_with_the_servers_words() {
    for says in [(|_| Some(Verdict::THROTTLED)) as Says, |_| Some(Verdict::THROTTLED.after(166 * MS))] {
        for _ in 0..100 {
            let began = Instant::now();
            let (outcome, report) = call(interactive(&Budget::default()), began, says).await;
            assert_eq!(outcome.unwrap_err().class(), Class::Throttled);
            assert_eq!(report.stop(), Some(Stop::Deadline));
            assert!((55 * SECOND..=60 * SECOND).contains(&began.elapsed()), "{:?}", began.elapsed());
            assert!(report.attempts() <= 8, "{report:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn throttled_callers_of_one_budget_all_outlast_a_limit_and_send_little_meanwhile() {
    for says in [(|began| until(began, 30, Verdict::THROTTLED)) as Says, |began| {
        until(began, 30, Verdict::THROTTLED.after(166 * MS))
    }] {
        let (budget, began) = (Budget::default(), Instant::now());
        let calls: Vec<_> = (0..100).map(|_| tokio::spawn(call(interactive(&budget), began, says))).collect();
        let mut attempts = 0;
        for call in calls {
            let (outcome, report) = call.await.expect("no panic");
            assert_eq!(outcome, Ok(()), "{report:?}");
            attempts += report.attempts();
        }
        println!("100 callers: {attempts} requests in {:?}", began.elapsed());
        assert!(attempts <= 350 && began.elapsed() <= 60 * SECOND, "{attempts} in {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_deadline_a_throttled_call_keeps_to_its_retries() {
    let began = Instant::now();
    let (outcome, report) =
        call(RetryLayer::new(Backoff::constant(MS).retries(2)), began, |_| Some(Verdict::THROTTLED)).await;
    assert_eq!((outcome, report.attempts(), report.stop()), (Err(Verdict::THROTTLED), 3, Some(Stop::Attempts)));
    assert!((3 * SECOND..5 * SECOND).contains(&began.elapsed()), "1 and 2 s, and up to half more");
}

#[tokio::test(start_paused = true)]
async fn the_window_of_a_limit_sets_the_pace() {
    for (window, first, attempts) in [
        (Window::Second, 1.0 / 60.0, 50..400),
        (Window::Minute, 1.0, 6..9),
        (Window::Hour, 60.0, 1..2),
        (Window::Day, 1_440.0, 1..2),
    ] {
        let server = service_fn(move |(): ()| async move { Err::<(), _>(Verdict::THROTTLED.per(window)) });
        let layer = interactive(&Budget::unlimited());
        let (outcome, report) = report(layer.layer(server).oneshot(())).await;
        assert_eq!(outcome.unwrap_err().window(), Some(window));
        assert!(attempts.contains(&report.attempts()), "{window:?}: {report:?}");
        let days = report.stop() == Some(Stop::Patience);
        assert_eq!(days, first > 120.0, "a wait beyond patience is not begun");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_our_own_is_cut_once_and_a_servers_hint_never() {
    let waits = |verdict: Verdict, within: u32| async move {
        let began = Instant::now();
        let server = service_fn(move |(): ()| async move { Err::<(), _>(verdict) });
        let layer = RetryLayer::new([MS; 9]).within(within * SECOND);
        let (_, report) = report(layer.layer(server).oneshot(())).await;
        (report, began.elapsed())
    };
    // 1 to 1.5 s, then 2 to 3: the third does not fit, and is cut to end 2 s before the deadline.
    let (report, took) = waits(Verdict::THROTTLED, 9).await;
    assert_eq!((report.attempts(), report.stop()), (4, Some(Stop::Deadline)));
    assert!((7 * SECOND..9 * SECOND - 49 * MS).contains(&took), "{took:?}");
    let (report, took) = waits(Verdict::THROTTLED.after(6 * SECOND), 9).await;
    assert_eq!((report.attempts(), report.stop()), (2, Some(Stop::Deadline)), "another 6 s do not fit");
    assert!(took >= 6 * SECOND);
    let (report, took) = waits(Verdict::THROTTLED.after(9 * SECOND), 9).await;
    assert_eq!((report.attempts(), report.stop(), took), (1, Some(Stop::Deadline), Duration::ZERO));
    let (report, _) = waits(Verdict::WARMING, 9).await;
    assert_eq!(report.stop(), Some(Stop::Deadline));
    assert!((5..8).contains(&report.attempts()), "{report:?}");
}

/// Ready at once for the first call, and for the next at some time, without a word that it is.
#[derive(Clone)]
struct Slow {
    calls: Arc<AtomicUsize>,
    ready_at: Instant,
}

impl Service<()> for Slow {
    type Response = ();
    type Error = Verdict;
    type Future = std::future::Ready<Result<(), Verdict>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Verdict>> {
        if self.calls.load(Relaxed) == 0 || Instant::now() >= self.ready_at {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    fn call(&mut self, (): ()) -> Self::Future {
        self.calls.fetch_add(1, Relaxed);
        std::future::ready(Err(Verdict::TRANSIENT))
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_that_does_not_fit_however_late_the_service_is_ready() {
    let calls = Arc::new(AtomicUsize::new(0));
    let slow = Slow { calls: Arc::clone(&calls), ready_at: Instant::now() + 10 * SECOND };
    let budget = Budget::default();
    let layer = RetryLayer::new([100 * MS; 3]).within(2 * SECOND).budget(budget.clone());
    let began = Instant::now();
    let (outcome, report) = report(layer.layer(slow).oneshot(())).await;
    assert_eq!((outcome, report.stop()), (Err(Verdict::TRANSIENT), Some(Stop::Deadline)));
    assert_eq!((calls.load(Relaxed), report.attempts()), (1, 1));
    assert!((1_950 * MS..=2 * SECOND).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert!(budget.snapshot().retries >= 3.0, "nothing was sent for the charge");
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_is_kept_through_the_wait_and_the_one_before_it_is_dropped() {
    let answers = [Arc::new("first"), Arc::new("second")];
    let kept = answers.clone().map(|answer| Arc::downgrade(&answer));
    let judge = |outcome: Result<&Arc<&str>, &BoxError>| match outcome {
        Ok(_) => Verdict::TRANSIENT,
        Err(_) => Open::new(SECOND, Cause::Streak, None).verdict(),
    };
    let (mut service, mut handle) = mock::spawn_layer(RetryLayer::new([SECOND; 9]).classify_with(judge));
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    for answer in answers {
        assert_request_eq!(handle, "a").send_response(answer);
        assert_pending!(call.poll());
        time::advance(SECOND + MS).await;
        assert_pending!(call.poll());
    }
    assert_eq!(kept.each_ref().map(|answer| answer.upgrade().is_some()), [false, true]);
    assert_request_eq!(handle, "a").send_error("refused");
    assert_eq!(assert_ready!(call.poll()).map(|answer| *answer).ok(), Some("second"), "what the server said last");
}

#[tokio::test(start_paused = true)]
async fn callers_that_all_wait_for_a_success_of_their_own_get_to_try_for_it() {
    for settings in [BudgetSettings::default().floor(0), BudgetSettings::default().closed_loop(4)] {
        let (budget, began) = (Budget::new(settings), Instant::now());
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let layer =
                    RetryLayer::new(Backoff::exponential(100 * MS).retries(20)).patient().budget(budget.clone());
                tokio::spawn(call(layer.within(600 * SECOND), began, |began| until(began, 20, Verdict::TRANSIENT)))
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.expect("no panic").0, Ok(()));
        }
        // Probes were down to one in 5 s by then.
        assert!(began.elapsed() < 40 * SECOND, "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_circuit_is_spread_over_one_second() {
    for _ in 0..100 {
        let served = Arc::new(AtomicUsize::new(0));
        let server = service_fn(move |(): ()| {
            let first = served.fetch_add(1, Relaxed) == 0;
            async move { if first { Err(Open::new(12 * SECOND, Cause::Streak, None).verdict()) } else { Ok(()) } }
        });
        let began = Instant::now();
        let layer = RetryLayer::new(Backoff::constant(MS).jitter(Jitter::None)).patient().within(60 * SECOND);
        layer.layer(server).oneshot(()).await.expect("it is closed then");
        assert!((12 * SECOND..13 * SECOND + MS).contains(&began.elapsed()), "{:?}", began.elapsed());
    }
}
