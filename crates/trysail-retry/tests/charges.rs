//! What a call pays for its retries, and what it gets back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{self, Instant};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, Service};
use trysail_core::{Cause, Class, Classified, Open, Verdict, Window};
use trysail_retry::{Backoff, Budget, BudgetSettings, Jitter, Retry, RetryLayer};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Answers by its script: each answer takes that long, or is there at once. It can be made unready.
#[derive(Clone)]
struct Server {
    script: Arc<[(Option<Duration>, Verdict)]>,
    calls: Arc<AtomicUsize>,
    ready: Arc<AtomicBool>,
}

impl Service<()> for Server {
    type Response = ();
    type Error = Verdict;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<(), Verdict>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Verdict>> {
        if self.ready.load(Relaxed) { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn call(&mut self, (): ()) -> Self::Future {
        let (takes, answer) = self.script[self.calls.fetch_add(1, Relaxed)];
        Box::pin(async move {
            if let Some(takes) = takes {
                time::sleep(takes).await;
            }
            if answer == Verdict::SUCCESS { Ok(()) } else { Err(answer) }
        })
    }
}

fn server(script: impl IntoIterator<Item = (Option<Duration>, Verdict)>) -> Server {
    Server { script: script.into_iter().collect(), calls: Arc::default(), ready: Arc::new(true.into()) }
}

fn at_once(verdicts: impl IntoIterator<Item = Verdict>) -> Server {
    server(verdicts.into_iter().map(|verdict| (None, verdict)))
}

fn layer(budget: &Budget) -> RetryLayer {
    RetryLayer::new(Backoff::constant(100 * MS).jitter(Jitter::None)).budget(budget.clone())
}

fn retries(budget: &Budget) -> f64 {
    budget.snapshot().retries
}

/// But for the free retries of half a second.
fn holds(budget: &Budget, expected: f64) {
    let balance = retries(budget);
    assert!((expected..expected + 0.05).contains(&balance), "{balance} retries, and not {expected}");
}

fn open() -> Verdict {
    Open::new(5 * SECOND, Cause::Streak, Some(Class::Transient)).verdict()
}

fn call(budget: &Budget, server: &Server) -> task::Spawn<<Retry<Server> as Service<()>>::Future> {
    task::spawn(layer(budget).layer(server.clone()).call(()))
}

/// Far enough for a sleep of 100 ms to be over, and not for a free retry worth mentioning.
async fn sleep_ends() {
    time::advance(101 * MS).await;
}

#[tokio::test(start_paused = true)]
async fn a_retry_cut_off_in_flight_is_paid_for() {
    // As an attempt ends that the request's own time cuts: refused, but not before it was sent.
    let budget = Budget::default();
    let server = server([(None, Verdict::TRANSIENT), (Some(50 * MS), Verdict::REFUSED)]);
    let mut call = call(&budget, &server);
    assert_pending!(call.poll());
    sleep_ends().await;
    assert_pending!(call.poll());
    time::advance(51 * MS).await;
    assert!(assert_ready!(call.poll()).is_err());
    drop(call);
    holds(&budget, 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_refused_before_it_was_sent_gets_its_charge_back() {
    let budget = Budget::default();
    let server = at_once([Verdict::TRANSIENT, open()]);
    let mut call = call(&budget, &server);
    assert_pending!(call.poll());
    holds(&budget, 2.0);
    sleep_ends().await;
    assert_eq!(assert_ready!(call.poll()), Err(Verdict::TRANSIENT), "the refusal does not hide what the server said");
    assert_eq!(retries(&budget), 3.0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_refused_and_waited_for_is_paid_for_when_it_is_sent() {
    let budget = drawn();
    let server = at_once([Verdict::TRANSIENT, open(), open(), Verdict::PERMANENT]);
    let mut call = task::spawn(layer(&budget).patient().within(60 * SECOND).layer(server).call(()));
    assert_pending!(call.poll());
    sleep_ends().await;
    for _ in 0..2 {
        assert_pending!(call.poll(), "refused, it waits for the circuit");
        time::advance(8 * SECOND).await;
    }
    assert_eq!(assert_ready!(call.poll()), Err(Verdict::PERMANENT));
    drop(call);
    // 16 s have passed, in which more than one was free.
    holds(&budget, 3.0 + 16.1 / 14.0);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_retry_that_was_refused_costs_no_more_for_it() {
    let budget = drawn();
    let server = at_once([Verdict::THROTTLED.after(100 * MS).per(Window::Second), open(), open(), Verdict::PERMANENT]);
    let mut call = task::spawn(layer(&budget).patient().within(60 * SECOND).layer(server).call(()));
    assert_pending!(call.poll());
    holds(&budget, 3.5);
    time::advance(151 * MS).await;
    assert_pending!(call.poll(), "refused, it waits for the circuit");
    holds(&budget, 3.5);
    time::advance(8 * SECOND).await;
    assert_pending!(call.poll(), "and again");
    holds(&budget, 3.5 + 8.0 / 14.0);
}

#[tokio::test(start_paused = true)]
async fn a_first_attempt_refused_and_waited_for_is_free() {
    let budget = drawn();
    let server = at_once([open(), Verdict::PERMANENT]);
    let mut call = task::spawn(layer(&budget).patient().within(60 * SECOND).layer(server).call(()));
    assert_pending!(call.poll());
    holds(&budget, 4.0);
    drop(call);
    holds(&budget, 4.0);
}

/// A budget of 5 retries that holds 4.
fn drawn() -> Budget {
    let budget = Budget::new(BudgetSettings::default().floor(5));
    budget.withdraw(Verdict::TRANSIENT, Instant::now()).expect("it is full");
    budget
}

/// What comes before a poll: time passes, and the service is ready then or is not.
const POLLS: [(Duration, bool); 8] = [
    (Duration::ZERO, true),
    (Duration::from_millis(51), true),
    (Duration::from_millis(101), false),
    (Duration::ZERO, true),
    (Duration::from_millis(51), true),
    (Duration::from_millis(101), false),
    (Duration::ZERO, true),
    (Duration::from_millis(51), true),
];

/// A call that fails twice, polled so many times: what the budget holds then, and after the call was dropped.
async fn polled(times: usize) -> (f64, f64) {
    let budget = drawn();
    let answers = [Verdict::TRANSIENT, Verdict::TRANSIENT, Verdict::SUCCESS];
    let server = server(answers.map(|verdict| (Some(50 * MS), verdict)));
    let mut call = call(&budget, &server);
    for (nth, (passes, ready)) in POLLS.into_iter().take(times).enumerate() {
        time::advance(passes).await;
        server.ready.store(ready, Relaxed);
        assert_eq!(call.poll().is_ready(), nth == POLLS.len() - 1);
    }
    let held = retries(&budget);
    drop(call);
    (held, retries(&budget))
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_after_any_poll_has_paid_for_what_it_sent_and_no_more() {
    for (times, held, after) in [
        (0, 4.0, 4.0),
        (1, 4.0, 4.0), // the first attempt is in flight
        (2, 3.0, 4.0), // asleep
        (3, 3.0, 4.0), // the service is not ready
        (4, 3.0, 3.0), // the first retry is in flight
        (5, 2.0, 3.0), // asleep
        (6, 2.0, 3.0), // not ready
        (7, 2.0, 2.0), // the second retry is in flight
        (8, 4.2, 4.2), // and succeeds: all is back, and 0.2 more
    ] {
        let (was_held, was_after) = polled(times).await;
        let near = |balance: f64, expected: f64| (expected..expected + 0.05).contains(&balance);
        assert!(near(was_held, held) && near(was_after, after), "{times} polls: {was_held}, dropped {was_after}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_for_good_has_lost_its_charges() {
    for (verdict, cost) in [(Verdict::TRANSIENT, 3.0), (Verdict::THROTTLED.after(100 * MS).per(Window::Second), 1.5)] {
        let budget = drawn();
        let mut call = call(&budget, &at_once([verdict; 4]));
        for _ in 0..3 {
            assert_pending!(call.poll());
            time::advance(151 * MS).await;
        }
        assert_eq!(assert_ready!(call.poll()), Err(verdict));
        drop(call);
        holds(&budget, 4.0 - cost);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_answered_at_once_gets_its_charge_back_once() {
    let budget = drawn();
    let mut call = call(&budget, &at_once([Verdict::TRANSIENT, Verdict::SUCCESS]));
    assert_pending!(call.poll());
    sleep_ends().await;
    assert_eq!(assert_ready!(call.poll()), Ok(()));
    drop(call);
    holds(&budget, 4.2);
}

#[tokio::test(start_paused = true)]
async fn a_first_attempt_that_succeeds_earns_a_fifth_of_a_retry() {
    let budget = drawn();
    assert_eq!(assert_ready!(call(&budget, &at_once([Verdict::SUCCESS])).poll()), Ok(()));
    holds(&budget, 4.2);
}

#[tokio::test(start_paused = true)]
async fn what_was_never_sent_is_repeated_at_no_charge() {
    let budget = drawn();
    let mut call = call(&budget, &at_once([Verdict::TRANSIENT.unsent(), Verdict::PERMANENT]));
    assert_eq!(assert_ready!(call.poll()), Err(Verdict::PERMANENT));
    drop(call);
    holds(&budget, 4.0);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_for_the_budget_has_paid_nothing() {
    let budget = Budget::new(BudgetSettings::default().floor(0));
    let server = at_once([Verdict::TRANSIENT]);
    let mut call = task::spawn(layer(&budget).patient().within(60 * SECOND).layer(server).call(()));
    assert_pending!(call.poll());
    drop(call);
    holds(&budget, 0.0);
}

#[tokio::test(start_paused = true)]
async fn retries_that_sleep_count_against_the_budget() {
    let budget = Budget::default();
    let server = at_once([Verdict::TRANSIENT; 4]);
    let mut calls: Vec<_> = (0..4).map(|_| call(&budget, &server)).collect();
    let mut last = calls.pop().expect("four calls");
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    assert_eq!(assert_ready!(last.poll()), Err(Verdict::TRANSIENT), "all that there was is spoken for");
    drop(calls);
    assert_eq!(retries(&budget), 3.0);
}
