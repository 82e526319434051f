//! How long an answer asks the caller to wait.

mod bucket;
mod duration;
mod moment;
mod text;

use std::time::Duration;

use http::{HeaderMap, header::RETRY_AFTER};

/// The wait that an answer asks for: its headers, and its body where that is text.
///
/// In this order: `retry-after-ms`, Azure's `x-ms-retry-after-ms`, `retry-after` (seconds or a date), what the body says, and when an exhausted
/// bucket of `x-ratelimit-*` is full again. A value that is no positive wait is no hint.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_http::retry_after::hint;
/// let mut headers = http::HeaderMap::new();
/// assert_eq!(hint(&headers, Some("Please try again in 2.812s.")), Some(Duration::from_millis(2_812)));
///
/// headers.insert("retry-after", "Fri, 29 Sep 2023 16:26:57 GMT".parse()?);
/// headers.insert("date", "Fri, 29 Sep 2023 16:26:37 GMT".parse()?);
/// assert_eq!(hint(&headers, None), Some(Duration::from_secs(20)));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn hint(headers: &HeaderMap, body_text: Option<&str>) -> Option<Duration> {
    let usable = |wait: &Duration| !wait.is_zero();
    MILLISECONDS
        .iter()
        .find_map(|name| milliseconds(headers, name).filter(usable))
        .or_else(|| seconds_or_date(headers).filter(usable))
        .or_else(|| body_text.and_then(text::wait).filter(usable))
        .or_else(|| bucket::refill(headers).filter(usable))
}

/// After what time a bucket is full again, as the value of its reset header says.
pub(crate) fn bucket_reset(value: &str, headers: &HeaderMap) -> Option<Duration> {
    bucket::wait(value, headers)
}

fn milliseconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    duration::decimal(value(headers, name)?, duration::MILLISECOND)
}

fn seconds_or_date(headers: &HeaderMap) -> Option<Duration> {
    let value = value(headers, RETRY_AFTER.as_str())?;
    duration::decimal(value, duration::SECOND).or_else(|| moment::until(moment::http_date(value)?, headers))
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Headers that name a wait in milliseconds.
const MILLISECONDS: &[&str] = &["retry-after-ms", "x-ms-retry-after-ms"];
