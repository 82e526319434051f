use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Request};
use trysail_core::Replay;

use crate::Deadline;

/// Says which requests may be sent twice, and marks those that may.
///
/// As a [`Replay`] it repeats idempotent methods, requests whose extensions hold `Idempotent`, and `POST`s to a path
/// that ends in `embeddings` or `embed`, which compute and change nothing. It sends `x-retry-count: n`, 0 on the
/// first attempt; a request that already carries this header belongs to an outer retry and is not repeated here.
/// The time left is that of the request's [`Deadline`].
///
/// ```
/// # use trysail_core::Replay;
/// # use trysail_http::Idempotent;
/// let mut request = http::Request::post("https://example.com/v1/chat/completions").body("{}")?;
/// assert!(Idempotent.replay(&request).is_none());
///
/// request.extensions_mut().insert(Idempotent);
/// assert!(Idempotent.replay(&request).is_some());
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Idempotent;

impl<B: Clone> Replay<Request<B>> for Idempotent {
    fn replay(&self, request: &Request<B>) -> Option<Request<B>> {
        (!request.headers().contains_key(RETRY_COUNT) && repeatable(request)).then(|| request.clone())
    }

    fn mark(&self, request: &mut Request<B>, attempt: u32) {
        // An outer count stays: the server wants to know how often it sees this call.
        if attempt > 1 || !request.headers().contains_key(RETRY_COUNT) {
            request.headers_mut().insert(RETRY_COUNT, HeaderValue::from(attempt.saturating_sub(1)));
        }
    }

    fn left(&self, request: &Request<B>) -> Option<Duration> {
        Deadline::left_of(request)
    }
}

fn repeatable<B>(request: &Request<B>) -> bool {
    let route = || request.uri().path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    request.method().is_idempotent()
        || request.extensions().get::<Idempotent>().is_some()
        || (request.method() == Method::POST && PURE.contains(&route()))
}

const PURE: &[&str] = &["embeddings", "embed"];
const RETRY_COUNT: HeaderName = HeaderName::from_static("x-retry-count");
