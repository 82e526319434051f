//! A body is encoded once, however often and wherever it is sent.

use std::io;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, task};
use tower::{BoxError, ServiceExt};
use tower_test::mock;
use trysail_core::{Failure, Replay};
use trysail_embeddings::{EmbedRequest, Embeddings, Endpoint};
use trysail_http::Idempotent;

/// What goes out for `request`.
async fn body(endpoint: &Endpoint, request: EmbedRequest) -> Bytes {
    let (mock, mut handle) = mock::pair::<Request<Full<Bytes>>, Response<Bytes>>();
    let judged = |error: BoxError| *error.downcast::<Failure<Response<Bytes>, io::Error>>().expect("nothing is sent");
    let mut call = task::spawn(Embeddings::new(mock.map_err(judged), endpoint.clone()).oneshot(request));
    assert_pending!(call.poll());
    let (request, _) = handle.next_request().await.expect("a request");
    let Ok(body) = request.into_body().collect().await;
    body.to_bytes()
}

fn endpoint(user: &str) -> Endpoint {
    let endpoint = Endpoint::openai("http://localhost:1/v1").expect("a base URL").header("x-tenant", user);
    endpoint.and_then(|endpoint| endpoint.field("user", user)).expect("they can be sent")
}

#[tokio::test]
async fn all_attempts_and_clones_share_one_body() {
    let endpoint = endpoint("skipper");
    let request = EmbedRequest::new("m", ["fair wind"]).field("truncate", true).expect("a field");
    let first = body(&endpoint, request.clone()).await;
    let mut second = Idempotent.replay(&request).expect("it may be repeated");
    Idempotent.mark(&mut second, 2);
    assert_eq!(body(&endpoint, second).await.as_ptr(), first.as_ptr());
    assert_eq!(body(&endpoint, request.keyed()).await.as_ptr(), first.as_ptr());
}

#[tokio::test]
async fn a_body_is_kept_for_each_endpoint_and_does_not_stand_in_for_another() {
    let request = EmbedRequest::new("m", ["fair wind"]);
    let endpoints = ["north", "south"].map(endpoint);
    let mut firsts = Vec::new();
    for endpoint in &endpoints {
        firsts.push(body(endpoint, request.clone()).await);
    }
    assert_ne!(firsts[0], firsts[1]);
    for (endpoint, first) in endpoints.iter().zip(&firsts) {
        assert_eq!(body(endpoint, request.clone()).await.as_ptr(), first.as_ptr());
    }
    // However many endpoints there are.
    for n in 0..40 {
        let sent = body(&endpoint(&format!("tenant {n}")), request.clone()).await;
        assert!(sent.ends_with(format!("\"user\":\"tenant {n}\"}}").as_bytes()), "{sent:?}");
    }
    assert_eq!(body(&endpoints[1], request.clone()).await, firsts[1]);
    let other = request.clone().field("user", "nobody").expect("a field");
    assert!(body(&endpoints[0], other).await.ends_with(br#""user":"nobody"}"#));
    assert_eq!(body(&endpoints[0], request).await, firsts[0]);
}

#[test]
fn a_request_that_an_outer_retry_has_marked_is_not_repeated() {
    let mut request = EmbedRequest::new("m", ["fair wind"]);
    let spare = Idempotent.replay(&request).expect("it carries no mark");
    Idempotent.mark(&mut request, 1);
    assert!(Idempotent.replay(&request).is_none());
    assert!(Idempotent.replay(&spare).is_some());
}
