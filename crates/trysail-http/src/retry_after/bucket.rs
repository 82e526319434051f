use std::time::Duration;

use http::HeaderMap;

use crate::retry_after::{duration, moment};

/// When the last of the exhausted buckets is full again.
pub(super) fn refill(headers: &HeaderMap) -> Option<Duration> {
    headers
        .iter()
        .filter_map(|(name, value)| {
            let (reset, remaining) = bucket(name.as_str())?;
            exhausted(headers, reset, &remaining).then(|| wait(value.to_str().ok()?.trim(), headers)).flatten()
        })
        .max()
}

/// The kind of the reset header `name`, and the header that says what is left in the same bucket.
fn bucket(name: &str) -> Option<(Reset, String)> {
    BUCKETS.iter().find_map(|(prefix, suffix)| {
        let kind = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
        let reset = if kind.is_empty() { Reset::Only } else { Reset::OneOfMany };
        Some((reset, name.replacen("reset", "remaining", 1)))
    })
}

#[derive(Clone, Copy)]
enum Reset {
    Only,
    OneOfMany,
}

fn exhausted(headers: &HeaderMap, reset: Reset, remaining: &str) -> bool {
    match headers.get(remaining) {
        Some(value) => value.as_bytes().trim_ascii() == b"0",
        // A server with a single bucket refused for that one.
        None => matches!(reset, Reset::Only),
    }
}

pub(super) fn wait(value: &str, headers: &HeaderMap) -> Option<Duration> {
    match duration::parse(value) {
        Some(moment) if moment >= LOOKS_LIKE_A_DATE => moment::until(moment, headers),
        Some(duration) => Some(duration),
        None => moment::until(moment::rfc3339(value)?, headers),
    }
}

/// What stands before and after the name of a bucket.
const BUCKETS: &[(&str, &str)] = &[
    ("x-ratelimit-reset", ""),
    ("x-rate-limit-reset", ""),
    ("ratelimit-reset", ""),
    ("anthropic-ratelimit-", "-reset"),
];
const LOOKS_LIKE_A_DATE: Duration = Duration::from_secs(1_000_000_000);
