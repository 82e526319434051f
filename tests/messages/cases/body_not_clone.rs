//! Nor is a request whose body cannot.
//! says: cannot repeat `http::Request<UnsyncBoxBody<
//! says: make the request `Clone`
//! says: `Full<Bytes>`

use bytes::Bytes;
use common::{backoff, judged};
use http::Request;
use http_body_util::combinators::UnsyncBoxBody; // wrong
use http_body_util::Full; // right
use tower::ServiceBuilder;
use trysail::{CheckExt, Idempotent, RetryLayer};

type Body = UnsyncBoxBody<Bytes, std::io::Error>; // wrong
type Body = Full<Bytes>; // right

fn main() {
    let _ = ServiceBuilder::new()
        .layer(RetryLayer::new(backoff()).replay(Idempotent))
        .service_fn(judged::<Request<Body>>)
        .checked::<Request<Body>>();
}
