use std::{error::Error, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use trysail_core::{Class, Elapsed, Retryable, Verdict};

use crate::transport;

/// The head of the answer with which a server passes a failed call of its own on.
///
/// The status is what clients expect of the class (the table is in `docs/classes.md`), `retry-after` and
/// `retry-after-ms` are the verdict's hint. With `spent`, this side has used up its own retries: `x-should-retry: false`
/// then keeps the client from multiplying them, as it does where the verdict says that asking again is useless.
///
/// A verdict does not say that a time limit of one's own struck, which is a 504: where the error is at hand, answer
/// with [`respond_to`].
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
    if spent || (verdict.retry() == Retryable::No && verdict.class() != Class::Refused) {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    response
}

/// [`respond`] for the error of a call, however often it was boxed: its verdict decides, and a time limit of one's own
/// is a 504.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_core::{Elapsed, Failure, Scope};
/// # type Failed = Failure<(), std::io::Error>;
/// let failed = Failed::Elapsed(Elapsed::new(Scope::Overall, Duration::from_secs(60)));
/// assert_eq!(trysail_http::respond_to(&failed, false, "").status(), 504);
/// ```
pub fn respond_to<B>(error: &(dyn Error + 'static), spent: bool, body: B) -> Response<B> {
    let verdict = transport::verdict(error);
    let mut response = respond(verdict, spent, body);
    if timed_out(verdict, error) {
        *response.status_mut() = OWN_TIMEOUT;
    }
    response
}

/// Whether a time limit of one's own struck.
pub(crate) fn timed_out(verdict: Verdict, error: &(dyn Error + 'static)) -> bool {
    matches!(verdict.class(), Class::Transient | Class::Refused)
        && transport::chain(error).any(|link| link.is::<Elapsed>())
}

fn status(class: Class) -> StatusCode {
    let known = STATUSES.iter().find(|(known, _)| *known == class);
    known.map_or(StatusCode::BAD_GATEWAY, |(_, status)| *status)
}

fn hints(headers: &mut HeaderMap, hint: Duration) {
    let ms = u64::try_from(hint.as_millis()).unwrap_or(u64::MAX);
    headers.insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
    headers.insert(RETRY_AFTER_MS, HeaderValue::from(ms));
}

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const OWN_TIMEOUT: StatusCode = StatusCode::GATEWAY_TIMEOUT;
const STATUSES: &[(Class, StatusCode)] = &[
    (Class::Success, StatusCode::OK),
    (Class::Transient, StatusCode::BAD_GATEWAY),
    (Class::Warming, StatusCode::SERVICE_UNAVAILABLE),
    (Class::Throttled, StatusCode::TOO_MANY_REQUESTS),
    (Class::QuotaExhausted, StatusCode::TOO_MANY_REQUESTS),
    (Class::Auth, StatusCode::UNAUTHORIZED),
    (Class::Permanent, StatusCode::BAD_REQUEST),
    (Class::Malformed, StatusCode::BAD_GATEWAY),
    (Class::Refused, StatusCode::SERVICE_UNAVAILABLE),
];
