//! What limits do that stand above one another, and make do with one timer.

use std::{
    future::{Future, pending, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use tokio::time::{self, Instant};
use tower::{BoxError, Layer, Service, service_fn};
use trysail_core::{Elapsed, Scope};
use trysail_timeout::TimeoutLayer;

const SECOND: Duration = Duration::from_secs(1);

type Outcome = Result<(), BoxError>;

/// A call within `limit`, as the layer makes it.
fn within<F: Future<Output = Outcome>>(limit: Duration, scope: Scope, call: F) -> impl Future<Output = Outcome> {
    let mut call = Some(call);
    let inner = service_fn(move |()| call.take().expect("one call"));
    TimeoutLayer::new(limit).scope(scope).layer(inner).call(())
}

/// An attempt that is never answered.
fn attempt(limit: Duration) -> impl Future<Output = Outcome> {
    within(limit, Scope::Attempt, pending())
}

/// Polls an attempt once, by the task of the call.
async fn wait_once(mut attempt: Pin<&mut impl Future<Output = Outcome>>) {
    let pending = poll_fn(|cx| Poll::Ready(attempt.as_mut().poll(cx).is_pending())).await;
    assert!(pending);
}

/// Which limit ends the call, and after how long; its own is 5 s.
async fn overall(call: impl Future<Output = Outcome>) -> (Duration, Scope) {
    ends(within(5 * SECOND, Scope::Overall, call)).await
}

async fn ends(call: impl Future<Output = Outcome>) -> (Duration, Scope) {
    let began = Instant::now();
    // It takes the place of the test's own patience: without a timer that runs, the call would never end.
    let outcome = time::timeout(3_600 * SECOND, call).await.expect("a limit should have struck");
    let elapsed = *outcome.expect_err("nobody answers").downcast::<Elapsed>().expect("a limit");
    (began.elapsed(), elapsed.scope())
}

#[tokio::test(start_paused = true)]
async fn the_smaller_limit_strikes_wherever_it_stands() {
    assert_eq!(overall(attempt(2 * SECOND)).await, (2 * SECOND, Scope::Attempt));
    assert_eq!(overall(attempt(5 * SECOND)).await, (5 * SECOND, Scope::Attempt));
    assert_eq!(overall(attempt(8 * SECOND)).await, (5 * SECOND, Scope::Overall));
    assert_eq!(overall(Box::pin(attempt(2 * SECOND))).await, (2 * SECOND, Scope::Attempt));
    assert_eq!(overall(Box::pin(attempt(8 * SECOND))).await, (5 * SECOND, Scope::Overall));
    let nested = within(3 * SECOND, Scope::Call, attempt(8 * SECOND));
    assert_eq!(overall(nested).await, (3 * SECOND, Scope::Call));
    let nested = within(8 * SECOND, Scope::Call, attempt(9 * SECOND));
    assert_eq!(overall(nested).await, (5 * SECOND, Scope::Overall));
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// How often a call wakes its task that is polled once, and then no more though both limits pass.
async fn wakes(attempt: impl Future<Output = Outcome>) -> u32 {
    let woken = Arc::new(Woken::default());
    let mut call = pin!(within(5 * SECOND, Scope::Overall, attempt));
    assert!(call.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&woken)))).is_pending());
    time::advance(20 * SECOND).await;
    woken.0.load(Relaxed)
}

#[tokio::test(start_paused = true)]
async fn an_outer_limit_starts_no_timer_while_one_inside_it_ends_before() {
    assert_eq!(wakes(attempt(2 * SECOND)).await, 1);
    assert_eq!(wakes(async { attempt(2 * SECOND).await }).await, 1);
    assert_eq!(wakes(attempt(8 * SECOND)).await, 2);
    assert_eq!(wakes(Box::pin(attempt(2 * SECOND))).await, 2);
}

#[tokio::test(start_paused = true)]
async fn the_outer_limit_strikes_through_one_attempt_after_another() {
    let attempts = async {
        for _ in 0..9 {
            let _ = attempt(2 * SECOND).await;
        }
        Ok(())
    };
    assert_eq!(overall(attempts).await, (5 * SECOND, Scope::Overall));
}

#[tokio::test(start_paused = true)]
async fn the_outer_limit_strikes_between_two_attempts() {
    let attempts = async {
        let _ = attempt(2 * SECOND).await;
        pending().await
    };
    assert_eq!(overall(attempts).await, (5 * SECOND, Scope::Overall));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_dropped_as_soon_as_it_is_polled_is_not_trusted() {
    let call = async {
        {
            let mut attempt = pin!(attempt(2 * SECOND));
            wait_once(attempt.as_mut()).await;
        }
        pending().await
    };
    assert_eq!(overall(call).await, (5 * SECOND, Scope::Overall));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_wakes_somebody_else_is_not_trusted() {
    let call = async {
        let mut attempt = pin!(attempt(2 * SECOND));
        poll_fn(|_| attempt.as_mut().poll(&mut Context::from_waker(Waker::noop()))).await
    };
    // It has ended long since when the outer timer wakes the call to hear of it.
    assert_eq!(overall(call).await, (5 * SECOND, Scope::Attempt));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_polled_no_more_is_not_trusted() {
    let call = async {
        let mut attempt = pin!(attempt(2 * SECOND));
        wait_once(attempt.as_mut()).await;
        pending().await
    };
    assert_eq!(overall(call).await, (5 * SECOND, Scope::Overall));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_beside_the_call_is_not_trusted() {
    let mut beside = pin!(attempt(2 * SECOND));
    let mut call = pin!(within(5 * SECOND, Scope::Overall, pending()));
    let mut polled = false;
    let both = poll_fn(|cx| {
        if !std::mem::replace(&mut polled, true) {
            assert!(beside.as_mut().poll(cx).is_pending());
        }
        call.as_mut().poll(cx)
    });
    assert_eq!(ends(both).await, (5 * SECOND, Scope::Overall));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_handed_to_another_task_is_not_trusted() {
    let mut attempt = Some(Box::pin(within(2 * SECOND, Scope::Attempt, pending())));
    let call = poll_fn(|cx| {
        if let Some(mut attempt) = attempt.take() {
            assert!(attempt.as_mut().poll(cx).is_pending());
            tokio::spawn(async move { drop(attempt.await) });
        }
        Poll::Pending
    });
    assert_eq!(overall(call).await, (5 * SECOND, Scope::Overall));
}
