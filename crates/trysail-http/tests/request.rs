//! What a request says about itself: whether it may be sent twice, and until when.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::time::Duration;

use http::{Method, Request, Uri};
use tokio::time::{self, Instant};
use tower_layer::Layer;
use tower_service::Service;
use tower_test::mock;
use trysail_core::{Limit, Replay};
use trysail_http::{Deadline, Idempotent, OrDeadline, SendDeadlineLayer, TakeDeadlineLayer};

#[test]
fn only_what_changes_nothing_is_repeated() {
    let table = [
        (Method::GET, "/", true),
        (Method::HEAD, "/", true),
        (Method::PUT, "/", true),
        (Method::DELETE, "/", true),
        (Method::OPTIONS, "/", true),
        (Method::TRACE, "/", true),
        (Method::CONNECT, "/", false),
        (Method::PATCH, "/", false),
        (Method::POST, "/v1/embeddings", false),
        (Method::POST, "/", false),
    ];
    for (method, path, repeated) in table {
        let request = request(&method, path);
        assert_eq!(Idempotent.replay(&request).is_some(), repeated, "{method} {path}");
    }
}

#[test]
fn a_marked_request_is_repeated() {
    let mut request = request(&Method::POST, "/v1/chat/completions");
    request.extensions_mut().insert(Idempotent);
    let copy = Idempotent.replay(&request).unwrap();
    assert_eq!(copy.body(), request.body());
    assert_eq!(copy.extensions().get(), Some(&Idempotent));
}

#[test]
fn each_attempt_is_numbered_from_zero() {
    let mut first = request(&Method::PUT, "/v1/files/1");
    let template = Idempotent.replay(&first).unwrap();
    Idempotent.mark(&mut first, 1);
    assert_eq!(first.headers()["x-retry-count"], "0");

    let mut second = Idempotent.replay(&template).unwrap();
    Idempotent.mark(&mut second, 2);
    assert_eq!(second.headers()["x-retry-count"], "1");
}

#[test]
fn a_call_that_somebody_else_repeats_is_not_repeated() {
    let mut request = request(&Method::PUT, "/v1/files/1");
    request.headers_mut().insert("x-retry-count", "3".parse().unwrap());
    assert!(Idempotent.replay(&request).is_none());
    Idempotent.mark(&mut request, 1);
    assert_eq!(request.headers()["x-retry-count"], "3");
}

#[test]
fn a_route_of_ones_own_is_repeated_too_and_only_that() {
    let replay = Idempotent.or_route(|method: &Method, uri: &Uri| method == Method::POST && uri.path() == "/search");
    let repeated = |method, path| replay.replay(&request(&method, path)).is_some();
    assert!(repeated(Method::POST, "/search?x=1") && repeated(Method::GET, "/"));
    assert!(!repeated(Method::POST, "/") && !repeated(Method::PATCH, "/search"));

    let mut outer = request(&Method::POST, "/search");
    replay.mark(&mut outer, 1);
    assert_eq!(outer.headers()["x-retry-count"], "0");
    assert!(replay.replay(&outer).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_what_is_left_of_it() {
    let deadline = Deadline::within(Duration::from_secs(10));
    assert_eq!(deadline, Deadline::at(Instant::now() + Duration::from_secs(10)));
    time::advance(Duration::from_secs(4)).await;
    assert_eq!(deadline.left(), Duration::from_secs(6));
    time::advance(Duration::from_secs(40)).await;
    assert_eq!(deadline.left(), Duration::ZERO);
    assert!(Deadline::within(Duration::MAX).left() > Duration::from_secs(1 << 29));
}

#[tokio::test(start_paused = true)]
async fn limits_and_retries_read_the_deadline() {
    let mut request = request(&Method::GET, "/");
    let limit = OrDeadline(OrDeadline(|_: &Request<&str>| Duration::from_secs(60)));
    assert_eq!(limit.limit(&request), Some(Duration::from_secs(60)));
    assert_eq!(limit.left(&request), None);
    assert_eq!(Idempotent.left(&request), None);

    request.extensions_mut().insert(Deadline::within(Duration::from_secs(2)));
    assert_eq!(limit.left(&request), Some(Duration::from_secs(2)));
    assert_eq!(Idempotent.left(&request), Some(Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn what_a_grpc_client_says_it_can_wait_travels_on_as_what_is_left() {
    let (service, mut handle) = mock::pair::<Request<&str>, ()>();
    handle.allow(1);
    let mut slow = request(&Method::POST, "/harbour.Soundings/Sound");
    slow.headers_mut().insert("grpc-timeout", "2S".parse().unwrap());
    slow.extensions_mut().insert(Deadline::within(Duration::from_secs(60)));

    let taken = TakeDeadlineLayer::grpc().layer(SendDeadlineLayer::grpc().layer(service));
    let mut taken = TakeDeadlineLayer::new().layer(taken);
    std::future::poll_fn(|cx| taken.poll_ready(cx)).await.unwrap();
    let _answer = taken.call(slow);
    let (sent, _) = handle.next_request().await.unwrap();
    assert_eq!(sent.headers()["grpc-timeout"], "2000m");
    time::advance(Duration::from_millis(500)).await;
    assert_eq!(sent.extensions().get().map(Deadline::left), Some(Duration::from_millis(1_500)));
    assert!(!sent.headers().contains_key("x-deadline-ms"));
}

fn request(method: &Method, path: &str) -> Request<&'static str> {
    Request::builder().method(method).uri(path).body("{}").unwrap()
}
