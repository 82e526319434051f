//! What a limit on readiness does.

use std::{future::ready, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    time::{self, Instant},
};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, limit::GlobalConcurrencyLimitLayer, service_fn};
use tower_test::{assert_request_eq, mock};
use trysail_core::{Class, Classified, Elapsed, Phase};
use trysail_timeout::{Adjustable, ReadyTimeoutLayer, TimeoutLayer};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_ready_in_time_refuses() {
    let (mut service, mut handle) = mock::spawn_layer(ReadyTimeoutLayer::new(SECOND));
    handle.allow(0);
    for _ in 0..2 {
        assert_pending!(service.poll_ready());
        time::advance(SECOND - Duration::from_millis(1)).await;
        assert_pending!(service.poll_ready());
        time::advance(Duration::from_millis(1)).await;
        assert!(service.is_woken());
        assert_ready_ok!(service.poll_ready());
        let mut call = task::spawn(service.call("a"));
        let elapsed: Elapsed = *assert_ready_err!(call.poll()).downcast().expect("the limit struck");
        assert_eq!((elapsed.phase(), elapsed.limit()), (Phase::Ready, SECOND));
        assert_eq!(elapsed.verdict().class(), Class::Refused);
        assert_eq!(elapsed.to_string(), "the service was not ready within 1s, so nothing was sent");
    }
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    assert_request_eq!(handle, "a").send_response("b");
    assert_eq!(assert_ready_ok!(call.poll()), "b");
}

#[tokio::test(start_paused = true)]
async fn readiness_at_the_limit_wins_and_nobody_is_woken_later() {
    let (mut service, mut handle) = mock::spawn_layer::<&str, &str, _>(ReadyTimeoutLayer::new(SECOND));
    handle.allow(0);
    assert_pending!(service.poll_ready());
    time::advance(SECOND).await;
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    time::advance(60 * SECOND).await;
    assert!(!service.is_woken());
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_was_given_up_long_ago_is_not_counted() {
    let (mut service, mut handle) = mock::spawn_layer::<&str, &str, _>(ReadyTimeoutLayer::new(SECOND));
    handle.allow(0);
    assert_pending!(service.poll_ready());
    time::advance(3_600 * SECOND).await;
    assert_pending!(service.poll_ready());
    time::advance(SECOND).await;
    assert_ready_ok!(service.poll_ready());
}

#[tokio::test(start_paused = true)]
async fn every_limit_strikes_however_seldom_the_service_is_polled() {
    let limits = [1, 300_000, 999_999, 1_000_000, 10_000_000, 60_000_000_000].map(Duration::from_nanos);
    for limit in limits {
        for every in [Duration::from_millis(1), Duration::from_millis(30), SECOND, 30 * SECOND, 3_600 * SECOND] {
            let (mut service, mut handle) = mock::spawn_layer::<&str, &str, _>(ReadyTimeoutLayer::new(limit));
            handle.allow(0);
            for _ in 0..3 {
                // A wake that is late is no wait that was given up, unless it is very late, and then only once.
                let late = every > 2 * limit && every > 2 * SECOND;
                let most = if late { 2 * every } else { limit.max(every) + every };
                let began = Instant::now();
                while service.poll_ready().is_pending() {
                    assert!(began.elapsed() < most, "{limit:?} never strikes, polled each {every:?}");
                    time::advance(every).await;
                }
                assert_ready_err!(task::spawn(service.call("a")).poll());
            }
        }
    }
}

#[test]
fn limits_below_a_millisecond_and_below_the_clocks_tick_strike_in_real_time() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        for limit in [1, 500, 10_000].map(Duration::from_micros) {
            let (mut service, mut handle) = mock::spawn_layer::<&str, &str, _>(ReadyTimeoutLayer::new(limit));
            handle.allow(0);
            let began = Instant::now();
            while service.poll_ready().is_pending() {
                assert!(began.elapsed() < 5 * SECOND, "{limit:?} never strikes");
                time::sleep(Duration::from_millis(30)).await;
            }
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_service_that_was_too_slow_gives_up_its_place_in_the_queue() {
    let semaphore = Arc::new(Semaphore::new(1));
    let limit = GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(&semaphore));
    let inner = service_fn(|()| ready(Ok::<_, BoxError>(())));
    let service = ServiceBuilder::new().layer(ReadyTimeoutLayer::new(SECOND)).layer(limit).service(inner);
    let held = semaphore.acquire().await.unwrap();
    let (mut idle, mut busy) = (service.clone(), service);
    let refused = idle.ready().await.unwrap().call(()).await.unwrap_err();
    assert!(refused.is::<Elapsed>());
    drop(held);
    // `idle` is kept, and not asked again.
    for _ in 0..10 {
        busy.ready().await.unwrap().call(()).await.unwrap();
    }
    idle.ready().await.unwrap().call(()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_zero_refuses_what_is_not_ready_at_once() {
    let (mut service, mut handle) = mock::spawn_layer::<&str, &str, _>(ReadyTimeoutLayer::new(Duration::ZERO));
    handle.allow(0);
    assert_ready_ok!(service.poll_ready());
    assert_ready_err!(task::spawn(service.call("a")).poll());
}

#[tokio::test(start_paused = true)]
async fn an_adjustable_limit_holds_for_calls_made_from_then_on() {
    let limit = Adjustable::new(10 * SECOND);
    let (mut service, mut handle) = mock::spawn_layer::<_, &str, _>(TimeoutLayer::new(limit.clone()));
    for allowed in [10, 2, 30] {
        limit.set(allowed * SECOND);
        assert_ready_ok!(service.poll_ready());
        let mut call = task::spawn(service.call("a"));
        let _answer = assert_request_eq!(handle, "a");
        assert_pending!(call.poll());
        limit.set(Duration::ZERO);
        time::advance(allowed * SECOND - Duration::from_millis(1)).await;
        assert_pending!(call.poll());
        time::advance(Duration::from_millis(1)).await;
        assert_ready_err!(call.poll());
    }
    limit.set(Duration::MAX);
    assert_eq!(limit.get(), Duration::MAX);
}
