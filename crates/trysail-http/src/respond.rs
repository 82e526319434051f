use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use trysail_core::{Class, Retry, Verdict};

/// The head of the answer with which a server passes a failed call of its own on.
///
/// The status is what clients expect of the class, `retry-after` and `retry-after-ms` are the verdict's hint. With
/// `spent`, this side has used up its own retries: `x-should-retry: false` then keeps the client from multiplying them,
/// as it does where the verdict says that asking again is useless.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_core::Verdict;
/// let answer = trysail_http::respond(Verdict::THROTTLED.after(Duration::from_millis(1_500)), true, "slow down");
/// assert_eq!(answer.status(), 429);
/// assert_eq!(answer.headers()["retry-after"], "2");
/// assert_eq!(answer.headers()["retry-after-ms"], "1500");
/// assert_eq!(answer.headers()["x-should-retry"], "false");
/// ```
pub fn respond<B>(verdict: Verdict, spent: bool, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = status(verdict.class());
    let headers = response.headers_mut();
    if let Some(hint) = verdict.retry_after() {
        hints(headers, hint);
    }
    // A refusal of ours passes: an open circuit closes again.
    if spent || (verdict.retry() == Retry::No && verdict.class() != Class::Refused) {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    response
}

fn status(class: Class) -> StatusCode {
    match class {
        Class::Success => StatusCode::OK,
        Class::Throttled | Class::QuotaExhausted => StatusCode::TOO_MANY_REQUESTS,
        Class::Auth => StatusCode::UNAUTHORIZED,
        Class::Permanent => StatusCode::BAD_REQUEST,
        Class::Warming | Class::Refused => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    }
}

fn hints(headers: &mut HeaderMap, hint: Duration) {
    let ms = u64::try_from(hint.as_millis()).unwrap_or(u64::MAX);
    headers.insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
    headers.insert(RETRY_AFTER_MS, HeaderValue::from(ms));
}

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
