//! When a call is repeated, how long it waits, and what is left of it.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::{self, Instant};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::{assert_request_eq, mock};
use trysail_core::{Cause, Class, Classified, Open, Replay, Verdict};
use trysail_retry::{Backoff, Budget, Jitter, RetryLayer, RetryReport, Select, Stop, report};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// What came of one call to a service that answers by `script`: how often it was asked, and for how long.
struct Run {
    outcome: Result<&'static str, Verdict>,
    report: RetryReport,
    calls: usize,
    took: Duration,
}

async fn run<B, R>(layer: RetryLayer<B, trysail_core::Inherit, R>, script: impl IntoIterator<Item = Verdict>) -> Run
where
    B: IntoIterator<Item = Duration> + Clone,
    R: Replay<&'static str> + Select<&'static str, Budget> + Clone,
{
    let script: Arc<[Verdict]> = script.into_iter().collect();
    let calls = Arc::new(AtomicUsize::new(0));
    let service = service_fn({
        let calls = Arc::clone(&calls);
        move |_| {
            let next = script[calls.fetch_add(1, Relaxed)];
            async move { if next == Verdict::SUCCESS { Ok("vector") } else { Err(next) } }
        }
    });
    let began = Instant::now();
    let (outcome, report) = report(layer.layer(service).oneshot("text")).await;
    let calls = calls.load(Relaxed);
    Run { outcome, report, calls, took: began.elapsed() }
}

fn exact(retries: u32) -> RetryLayer {
    RetryLayer::new(Backoff::exponential(100 * MS).jitter(Jitter::None).retries(retries))
}

#[tokio::test(start_paused = true)]
async fn a_success_is_not_repeated() {
    let run = run(exact(3), [Verdict::SUCCESS]).await;
    assert_eq!((run.outcome, run.calls, run.took), (Ok("vector"), 1, Duration::ZERO));
    assert_eq!((run.report.attempts(), run.report.stop(), run.report.last()), (1, None, None));
}

#[tokio::test(start_paused = true)]
async fn failures_that_may_pass_are_repeated_after_the_backoff() {
    let run = run(exact(3), [Verdict::TRANSIENT, Verdict::MALFORMED, Verdict::SUCCESS]).await;
    assert_eq!((run.outcome, run.calls, run.took), (Ok("vector"), 3, 300 * MS));
    assert_eq!((run.report.attempts(), run.report.slept(), run.report.stop()), (3, 300 * MS, None));
    assert_eq!((run.report.failures(Class::Transient), run.report.failures(Class::Malformed)), (1, 1));
    assert_eq!(run.report.last(), Some(Verdict::MALFORMED));
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_returned_when_the_retries_are_used_up() {
    let last = Verdict::MALFORMED;
    let run = run(exact(2), [Verdict::TRANSIENT, Verdict::TRANSIENT, last]).await;
    assert_eq!((run.outcome, run.calls, run.took), (Err(last), 3, 300 * MS));
    assert_eq!(run.report.stop(), Some(Stop::Attempts));
}

#[tokio::test(start_paused = true)]
async fn what_would_fail_again_is_not_repeated() {
    for verdict in [Verdict::QUOTA_EXHAUSTED, Verdict::AUTH, Verdict::PERMANENT, Verdict::MALFORMED.once()] {
        let run = run(exact(3), [verdict]).await;
        assert_eq!((run.outcome, run.calls, run.took), (Err(verdict), 1, Duration::ZERO));
        assert_eq!(run.report.stop(), Some(Stop::Verdict));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_copy_is_not_repeated() {
    let run = run(exact(3).replay(|_: &&'static str| None), [Verdict::TRANSIENT]).await;
    assert_eq!((run.outcome, run.calls), (Err(Verdict::TRANSIENT), 1));
    assert_eq!(run.report.stop(), Some(Stop::NotReplayable));
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_never_cut_short_and_is_spread_upwards() {
    let hint = 1_500 * MS;
    let mut took = Vec::new();
    for _ in 0..100 {
        let run = run(exact(3), [Verdict::THROTTLED.after(hint), Verdict::SUCCESS]).await;
        assert!((hint..hint * 3 / 2 + MS).contains(&run.took), "{:?}", run.took);
        assert_eq!(run.report.hints(), 1);
        took.push(run.took);
    }
    assert!(took.iter().max().unwrap().saturating_sub(*took.iter().min().unwrap()) > hint / 4);
}

#[tokio::test(start_paused = true)]
async fn the_jitter_of_a_long_hint_is_at_most_five_seconds() {
    let run = run(exact(3), [Verdict::TRANSIENT.after(100 * SECOND), Verdict::SUCCESS]).await;
    assert!((100 * SECOND..=105 * SECOND).contains(&run.took));
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_fits_is_not_lost_to_its_jitter() {
    for _ in 0..100 {
        let layer = exact(3).within(10 * SECOND);
        let run = run(layer, [Verdict::THROTTLED.after(8 * SECOND), Verdict::SUCCESS]).await;
        assert!(run.outcome.is_ok() && (8 * SECOND..=10 * SECOND - 50 * MS).contains(&run.took), "{:?}", run.took);
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_without_a_hint_waits_for_a_second_first() {
    let run = run(exact(3), [Verdict::THROTTLED, Verdict::SUCCESS]).await;
    assert!((SECOND..=SECOND * 3 / 2).contains(&run.took));
    assert_eq!(run.report.hints(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hint_beyond_patience_ends_the_call_at_once() {
    for (hint, stop) in [(2 * SECOND, None), (2 * SECOND + MS, Some(Stop::Patience))] {
        let verdict = Verdict::THROTTLED.after(hint);
        let run = run(exact(3).patience(2 * SECOND), [verdict, Verdict::SUCCESS]).await;
        assert_eq!(run.report.stop(), stop);
        assert_eq!(run.took.is_zero(), stop.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_does_not_fit_into_the_time_left_is_not_begun() {
    for (within, delay, least, retry) in [
        (1000, 400, 200, true),
        (600, 400, 200, true),
        (599, 400, 200, false),
        (400, 400, 1, false),
        (401, 400, 1, true),
        (0, 0, 1, false),
        (5000, 30000, 200, false),
    ] {
        let layer = RetryLayer::new([delay * MS]).within(within * MS).least(least * MS);
        let run = run(layer, [Verdict::TRANSIENT, Verdict::SUCCESS]).await;
        assert_eq!(run.calls, if retry { 2 } else { 1 }, "{within} {delay} {least}");
        assert_eq!(run.took, if retry { delay * MS } else { Duration::ZERO });
        assert_eq!(run.report.stop(), (!retry).then_some(Stop::Deadline));
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_counts_from_when_the_call_is_first_pending() {
    let layer = RetryLayer::new([SECOND; 9]).within(3 * SECOND);
    let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(layer);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    time::advance(60 * SECOND).await;
    assert_pending!(call.poll());
    time::advance(1_949 * MS).await;
    assert_request_eq!(handle, "a").send_error(Verdict::TRANSIENT);
    assert_pending!(call.poll());
    time::advance(SECOND + MS).await;
    assert_pending!(call.poll());
    assert_request_eq!(handle, "a").send_error(Verdict::TRANSIENT);
    assert_ready_err!(call.poll());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_call_with_what_the_server_said_last() {
    let open = Open::new(SECOND, Cause::Streak, Some(Class::Transient)).verdict();
    let said = Verdict::MALFORMED;
    let layer = exact(7).within(60 * SECOND);
    let first = run(layer, [Verdict::TRANSIENT, Verdict::TRANSIENT, said, open]).await;
    assert_eq!((first.outcome, first.calls), (Err(said), 4));
    assert_eq!((first.report.stop(), first.report.refusals()), (Some(Stop::Refused), 1));

    let never_sent = run(exact(7), [open]).await;
    assert_eq!(never_sent.outcome, Err(open), "where the server said nothing, the refusal is the answer");
}

#[tokio::test(start_paused = true)]
async fn a_patient_call_waits_while_the_circuit_is_open_and_pays_nothing_for_it() {
    let open = Open::new(5 * SECOND, Cause::Streak, None).verdict();
    let layer = exact(1).patient().within(60 * SECOND);
    let run = run(layer, [open, open, Verdict::TRANSIENT, open, Verdict::SUCCESS]).await;
    assert_eq!((run.outcome, run.calls), (Ok("vector"), 5));
    assert!((15 * SECOND..=SECOND * 45 / 2 + 100 * MS).contains(&run.took), "{:?}", run.took);
    assert_eq!(run.report.refusals(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_patient_call_still_ends_at_its_deadline() {
    let open = Open::new(5 * SECOND, Cause::Streak, None).verdict();
    let bounded = run(exact(1).patient().within(12 * SECOND), [open; 9]).await;
    assert!(bounded.took <= 12 * SECOND);
    assert_eq!(bounded.report.stop(), Some(Stop::Deadline));

    let endless = run(exact(1).patient(), [open; 9]).await;
    assert_eq!((endless.calls, endless.report.stop()), (1, Some(Stop::Refused)), "no limit of time, no waiting");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_never_sent_is_repeated_once_for_nothing() {
    let unsent = Verdict::TRANSIENT.unsent();
    let once = run(exact(0).patient(), [unsent, Verdict::SUCCESS]).await;
    assert_eq!((once.outcome, once.calls, once.took), (Ok("vector"), 2, Duration::ZERO));
    let twice = run(exact(1), [unsent, unsent, unsent]).await;
    assert_eq!((twice.calls, twice.took), (3, 100 * MS), "the second time it costs a retry");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_loads_its_model_is_waited_for() {
    let warming = [Verdict::WARMING; 8];
    let all = run(exact(1).within(120 * SECOND), warming.into_iter().chain([Verdict::SUCCESS])).await;
    assert_eq!((all.outcome, all.calls), (Ok("vector"), 9));
    let most = SECOND * (1 + 2 + 4 + 5 * 5);
    assert!((most / 2..=most).contains(&all.took), "{:?}", all.took);

    let hinted = run(exact(1).within(60 * SECOND), [Verdict::WARMING.after(20 * SECOND), Verdict::SUCCESS]).await;
    assert!((20 * SECOND..=25 * SECOND).contains(&hinted.took));

    let unbounded = run(exact(1), [Verdict::WARMING; 2]).await;
    assert_eq!(unbounded.report.stop(), Some(Stop::Attempts), "without a limit of time, it costs retries");
}

/// Copies as clones do, and writes the attempt's number into the request.
#[derive(Clone)]
struct Numbered;

impl Replay<(u32, &'static str)> for Numbered {
    fn replay(&self, request: &(u32, &'static str)) -> Option<(u32, &'static str)> {
        Some(*request)
    }
    fn mark(&self, request: &mut (u32, &'static str), attempt: u32) {
        request.0 = attempt;
    }
    fn left(&self, _: &(u32, &'static str)) -> Option<Duration> {
        Some(2_500 * MS)
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_marked_and_the_requests_own_time_holds() {
    let layer = RetryLayer::new([SECOND; 9]).replay(Numbered).within(60 * SECOND);
    let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(layer);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call((0, "a")));
    for attempt in 1..=3 {
        assert_request_eq!(handle, (attempt, "a")).send_error(Verdict::TRANSIENT);
        if attempt < 3 {
            assert_pending!(call.poll());
            time::advance(SECOND + MS).await;
            assert_pending!(call.poll());
        }
    }
    assert_ready_err!(call.poll());
}

#[tokio::test(start_paused = true)]
async fn readiness_is_asked_for_before_every_attempt() {
    let (mut service, mut handle) = mock::spawn_layer(RetryLayer::new([SECOND]));
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    assert_request_eq!(handle, "a").send_error(Verdict::TRANSIENT);
    assert_pending!(call.poll());
    time::advance(SECOND + MS).await;
    assert_pending!(call.poll());
    assert_pending!(task::spawn(handle.next_request()).poll());
    handle.allow(1);
    assert!(call.is_woken(), "a pending readiness wakes the call");
    assert_pending!(call.poll());
    assert_request_eq!(handle, "a").send_response("b");
    assert_eq!(assert_ready_ok!(call.poll()), "b");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_before_the_next_attempt_hides_nothing_and_costs_nothing() {
    let budget = Budget::default();
    let layer = RetryLayer::new([SECOND; 3]).budget(budget.clone());
    let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(layer);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(report(service.call("a")));
    assert_request_eq!(handle, "a").send_error(Verdict::MALFORMED);
    assert_pending!(call.poll());
    assert_eq!(budget.snapshot().retries, 2.0);
    handle.send_error("gone");
    time::advance(SECOND + MS).await;
    let (outcome, report) = assert_ready!(call.poll());
    assert_eq!(outcome.unwrap_err().verdict(), Verdict::MALFORMED, "what the server said last");
    assert_eq!((report.attempts(), report.stop()), (1, Some(Stop::Refused)));
    assert_eq!(budget.snapshot().retries, 3.0, "nothing was sent for it");
}

#[tokio::test(start_paused = true)]
async fn a_report_says_what_is_being_waited_for() {
    let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(RetryLayer::new([SECOND]));
    assert_ready_ok!(service.poll_ready());
    let mut call = pin!(report(service.call("a")));
    let mut waker = task::spawn(());
    assert_pending!(waker.enter(|cx, _| call.as_mut().poll(cx)));
    assert_eq!((call.so_far().attempts(), call.so_far().waiting()), (1, None));
    assert_request_eq!(handle, "a").send_error(Verdict::TRANSIENT);
    let began = Instant::now();
    assert_pending!(waker.enter(|cx, _| call.as_mut().poll(cx)));
    let waiting = call.so_far().waiting().expect("it waits");
    assert_eq!((waiting.verdict(), waiting.until()), (Verdict::TRANSIENT, began + SECOND));
    time::advance(SECOND + MS).await;
    assert_pending!(waker.enter(|cx, _| call.as_mut().poll(cx)));
    assert_eq!((call.so_far().attempts(), call.so_far().waiting()), (2, None));
}

#[tokio::test(start_paused = true)]
async fn who_listens_farther_out_hears_the_same() {
    let failing = || exact(1).layer(service_fn(|_: ()| async { Err::<(), _>(Verdict::TRANSIENT) }));
    let (inner, outer) = report(async { report(failing().oneshot(())).await.1 }).await;
    assert_eq!((inner.attempts(), inner.stop()), (2, Some(Stop::Attempts)));
    assert_eq!(inner, outer);
}

#[tokio::test(start_paused = true)]
async fn reports_do_not_leak_into_other_calls() {
    let failing = || exact(1).layer(service_fn(|_: ()| async { Err::<(), _>(Verdict::TRANSIENT) }));
    let (_, reported) = report(failing().oneshot(())).await;
    assert_eq!(reported.attempts(), 2);
    assert!(failing().oneshot(()).await.is_err());
    assert_eq!(report(async {}).await.1, RetryReport::default());
}

#[tokio::test(start_paused = true)]
async fn a_listener_between_two_retries_does_not_hide_the_outer_one() {
    let inner = exact(0).layer(service_fn(|_: ()| async { Err::<(), _>(Verdict::TRANSIENT) }));
    let listened = service_fn(move |request| {
        let call = report(inner.clone().oneshot(request));
        async { call.await.0 }
    });
    let (_, heard) = report(exact(2).layer(listened).oneshot(())).await;
    assert_eq!((heard.attempts(), heard.stop()), (3, Some(Stop::Attempts)));
}

#[tokio::test(start_paused = true)]
async fn of_nested_retries_the_outermost_that_asked_again_is_heard() {
    for listens in [false, true] {
        let calls = Arc::new(AtomicUsize::new(0));
        let server = service_fn(move |_: ()| {
            let fails = calls.fetch_add(1, Relaxed) < 3;
            async move { if fails { Err(Verdict::TRANSIENT) } else { Ok(()) } }
        });
        let inner = exact(1).layer(server);
        let between = service_fn(move |request| {
            let call = inner.clone().oneshot(request);
            async move { if listens { report(call).await.0 } else { call.await } }
        });
        let (outcome, heard) = report(RetryLayer::new([SECOND]).layer(between).oneshot(())).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!((heard.attempts(), heard.slept()), (2, SECOND), "with a listener between: {listens}");
    }
}

#[test]
fn a_service_that_is_only_send_makes_futures_that_are_send() {
    fn is_send<T: Send>(_: &T) {}
    let inner = tower::util::BoxCloneService::new(service_fn(|_: ()| async { Ok::<_, Verdict>(()) }));
    let mut service = exact(1).layer(inner);
    is_send(&service);
    is_send(&service.call(()));
}

#[tokio::test(start_paused = true)]
async fn what_costs_no_attempt_is_granted_after_the_last_one_too() {
    let spent = [Verdict::TRANSIENT; 2];
    let unsent = run(exact(1), [spent[0], Verdict::TRANSIENT.unsent(), Verdict::SUCCESS]).await;
    assert_eq!((unsent.outcome, unsent.calls, unsent.took), (Ok("vector"), 3, 100 * MS));

    let warming = [Verdict::TRANSIENT, Verdict::WARMING, Verdict::WARMING, Verdict::SUCCESS];
    let warming = run(exact(1).within(60 * SECOND), warming).await;
    assert_eq!((warming.outcome, warming.calls), (Ok("vector"), 4));

    let failing = run(exact(1).within(60 * SECOND), spent).await;
    assert_eq!((failing.calls, failing.report.stop()), (2, Some(Stop::Attempts)));
}
