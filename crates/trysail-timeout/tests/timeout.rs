//! What a time limit does to a call.

use std::time::Duration;

use tokio::time::{self, Instant};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower_test::{assert_request_eq, mock};
use trysail_core::{Class, Classified, Elapsed, Limit, Phase, Scope};
use trysail_timeout::TimeoutLayer;

const SECOND: Duration = Duration::from_secs(1);

/// The error of tower's mock is a `BoxError`.
fn elapsed(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Elapsed {
    *error.downcast_ref().expect("the limit should have struck")
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_comes_through() {
    let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(TimeoutLayer::new(SECOND));
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    assert_request_eq!(handle, "a").send_response("b");
    assert_eq!(assert_ready_ok!(call.poll()), "b");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_answered_ends_at_its_limit() {
    let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(TimeoutLayer::new(SECOND).scope(Scope::Attempt));
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    let _answer = assert_request_eq!(handle, "a");
    assert_pending!(call.poll());
    time::advance(SECOND - Duration::from_millis(1)).await;
    assert_pending!(call.poll());
    time::advance(Duration::from_millis(1)).await;
    assert!(call.is_woken());
    let struck = elapsed(&*assert_ready_err!(call.poll()));
    assert_eq!((struck.limit(), struck.scope()), (SECOND, Scope::Attempt));
    assert_eq!(struck.verdict().class(), Class::Transient);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_ready_at_the_limit_wins() {
    let (mut service, mut handle) = mock::spawn_layer(TimeoutLayer::new(SECOND));
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    let answer = assert_request_eq!(handle, "a");
    assert_pending!(call.poll());
    time::advance(2 * SECOND).await;
    answer.send_response("b");
    assert_eq!(assert_ready_ok!(call.poll()), "b");
}

#[tokio::test(start_paused = true)]
async fn the_limit_counts_from_the_first_time_the_call_is_pending() {
    let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(TimeoutLayer::new(SECOND));
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    let _answer = assert_request_eq!(handle, "a");
    time::advance(5 * SECOND).await;
    assert_pending!(call.poll());
    let since = Instant::now();
    call.await.unwrap_err();
    assert_eq!(since.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_zero_refuses_without_calling() {
    let (mut service, mut handle) = mock::spawn_layer::<&str, &str, _>(TimeoutLayer::new(Duration::ZERO));
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    let refused = elapsed(&*assert_ready_err!(call.poll()));
    assert_eq!(refused.phase(), Phase::Refused);
    assert_eq!(refused.verdict().class(), Class::Refused);
    assert_pending!(task::spawn(handle.next_request()).poll());
}

#[tokio::test(start_paused = true)]
async fn a_closure_gives_each_request_its_limit() {
    let layer = TimeoutLayer::new(|name: &&str| (*name == "short").then_some(SECOND));
    let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(layer);
    for (name, ends) in [("short", true), ("long", false)] {
        assert_ready_ok!(service.poll_ready());
        let mut call = task::spawn(service.call(name));
        let answer = assert_request_eq!(handle, name);
        assert_pending!(call.poll());
        time::advance(Duration::from_secs(86_400)).await;
        assert_eq!(call.poll().is_ready(), ends);
        drop(answer);
    }
}

#[derive(Clone)]
struct Left(Duration);

impl Limit<Duration> for Left {
    fn limit(&self, _: &Duration) -> Option<Duration> {
        Some(self.0)
    }
    fn left(&self, request: &Duration) -> Option<Duration> {
        Some(*request)
    }
}

#[tokio::test(start_paused = true)]
async fn the_smaller_of_limit_and_own_time_strikes_and_says_which() {
    let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(TimeoutLayer::new(Left(SECOND)));
    for (left, scope, class) in [
        (SECOND / 2, Scope::Request, Class::Refused),
        (SECOND, Scope::Call, Class::Transient),
        (SECOND * 2, Scope::Call, Class::Transient),
    ] {
        assert_ready_ok!(service.poll_ready());
        let call = task::spawn(service.call(left));
        let _answer = assert_request_eq!(handle, left);
        let struck = elapsed(&*call.await.unwrap_err());
        assert_eq!((struck.scope(), struck.limit()), (scope, left.min(SECOND)));
        assert_eq!(struck.verdict().class(), class);
    }
}

/// The limit of each call, and what it has left until the time it names.
#[derive(Clone)]
struct Until(Option<Duration>);

impl Limit<Instant> for Until {
    fn limit(&self, _: &Instant) -> Option<Duration> {
        self.0
    }
    fn left(&self, request: &Instant) -> Option<Duration> {
        Some(request.saturating_duration_since(Instant::now()))
    }
}

#[tokio::test(start_paused = true)]
async fn the_requests_own_time_counts_from_when_the_call_is_made() {
    for (limit, polled_after, scope, ends_after, named) in [
        // Struck after 1.9 s when it counted from the first poll.
        (None, SECOND * 9 / 10, Scope::Request, SECOND, SECOND),
        (Some(SECOND * 60), SECOND * 9 / 10, Scope::Request, SECOND, SECOND),
        // The limit was the smaller one when the call was made, and is not when it is polled.
        (Some(SECOND * 4 / 5), SECOND / 2, Scope::Request, SECOND, SECOND / 2),
        (Some(SECOND / 4), SECOND / 2, Scope::Call, SECOND * 3 / 4, SECOND / 4),
        (None, SECOND * 2, Scope::Request, SECOND * 2, SECOND),
    ] {
        let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(TimeoutLayer::new(Until(limit)));
        assert_ready_ok!(service.poll_ready());
        let made = Instant::now();
        let call = service.call(made + SECOND);
        let _answer = handle.next_request().await;
        time::sleep(polled_after).await;
        let struck = elapsed(&*call.await.unwrap_err());
        let seen = (struck.scope(), made.elapsed(), struck.limit());
        assert_eq!(seen, (scope, ends_after, named), "{limit:?} {polled_after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_ready_after_the_requests_own_time_wins() {
    let (mut service, mut handle) = mock::spawn_layer(TimeoutLayer::new(Until(None)));
    assert_ready_ok!(service.poll_ready());
    let call = service.call(Instant::now() + SECOND);
    let (_, answer) = handle.next_request().await.expect("the call was made");
    time::sleep(2 * SECOND).await;
    answer.send_response("b");
    assert_eq!(call.await.unwrap(), "b");
}

#[test]
fn a_limit_beyond_the_clock_is_no_limit_and_needs_no_timer() {
    // One that would panic if it was asked for a timer.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for scope in [Scope::Call, Scope::Attempt, Scope::Overall] {
            let (mut service, mut handle) = mock::spawn_layer(TimeoutLayer::new(Duration::MAX).scope(scope));
            assert_ready_ok!(service.poll_ready());
            let mut call = task::spawn(service.call("a"));
            let answer = assert_request_eq!(handle, "a");
            assert_pending!(call.poll());
            answer.send_response("b");
            assert_eq!(assert_ready_ok!(call.poll()), "b");
        }
    });
}
