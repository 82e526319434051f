//! Over what time the limit is counted that an answer speaks of.

mod allowance;

use http::HeaderMap;
use trysail_core::Window;

pub use self::allowance::{LearnHead, allowance};

/// The window of the limit that was met, as far as the head tells which one it was.
///
/// That is where the name of a bucket with nothing left in it says so (`x-ratelimit-remaining-tokens-minute: 0`), or the
/// only window in the policies of what is not said to have something left (`x-ratelimit-limit-requests: 100;w=60`,
/// `ratelimit-policy: 10;w=1`). A window between those that are known counts as the next longer one. That of a day or
/// longer is taken from an empty bucket alone, because its limit ends all retries.
///
/// ```
/// # use trysail_core::Window;
/// # use trysail_http::rate_limit::window;
/// let mut headers = http::HeaderMap::new();
/// headers.insert("x-ratelimit-limit-requests", "100;w=60".parse()?);
/// assert_eq!(window(&headers), Some(Window::Minute));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn window(headers: &HeaderMap) -> Option<Window> {
    let rows = || headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?.trim())));
    let limits = || rows().filter(|(name, _)| name.contains("ratelimit") || name.contains("rate-limit"));
    let empty = limits().filter(|(name, value)| name.contains("remaining") && is_zero(value));
    if let Some(window) = empty.filter_map(|(name, _)| named(name)).max_by_key(|window| window.length()) {
        return Some(window);
    }
    let policies = limits().filter_map(|(name, value)| {
        let left = name.rfind("-limit").and_then(|at| {
            let left = format!("{}-remaining{}", &name[..at], &name[at + "-limit".len()..]);
            headers.get(left)?.to_str().ok()
        });
        left.is_none_or(is_zero).then(|| (value, left.is_some()))
    });
    let mut only = None;
    for (window, empty) in policies.flat_map(|(value, empty)| written(value).map(move |window| (window, empty))) {
        if only.is_some_and(|(other, _)| other != window) {
            return None;
        }
        only = Some((window, empty || only.is_some_and(|(_, empty)| empty)));
    }
    only.filter(|(window, empty)| *empty || *window != Window::Day).map(|(window, _)| window)
}

fn is_zero(value: &str) -> bool {
    value.trim() == "0"
}

/// The window in the name of a bucket.
fn named(name: &str) -> Option<Window> {
    let mut words = name.split(['-', '_']);
    words.find_map(|word| WORDS.iter().find(|(known, _)| *known == word)).map(|(_, window)| *window)
}

/// The windows in a list of policies: `10;w=1, 1000;w=3600;name="all"`.
fn written(value: &str) -> impl Iterator<Item = Window> {
    value.split([',', ';']).filter_map(|part| {
        let (name, seconds) = part.split_once('=')?;
        let seconds = seconds.trim().trim_matches('"').parse::<u64>().ok().filter(|seconds| *seconds > 0)?;
        (name.trim() == "w").then(|| of(seconds))
    })
}

fn of(seconds: u64) -> Window {
    let known = [Window::Second, Window::Minute, Window::Hour];
    known.into_iter().find(|window| seconds <= window.length().as_secs()).unwrap_or(Window::Day)
}

const WORDS: &[(&str, Window)] = &[
    ("second", Window::Second),
    ("minute", Window::Minute),
    ("hour", Window::Hour),
    ("day", Window::Day),
    ("week", Window::Day),
    ("month", Window::Day),
];

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    #[test]
    fn the_head_tells_over_what_time_the_limit_is_counted() {
        let table: &[(Headers, Option<Window>)] = &[
            (&[("x-ratelimit-limit-requests", "100, 100;w=60")], Some(Window::Minute)),
            (&[("x-ratelimit-limit", r#"10, 10;w=1;name="per_ip""#)], Some(Window::Second)),
            (&[("ratelimit-policy", r#""burst";q=100;w=10"#)], Some(Window::Minute)),
            (&[("ratelimit-policy", "5;w=3600")], Some(Window::Hour)),
            (&[("ratelimit-policy", "5;w=60"), ("ratelimit-limit", "5;w=60")], Some(Window::Minute)),
            (
                &[("x-ratelimit-remaining-tokens-minute", "0"), ("x-ratelimit-remaining-tokens-day", "7")],
                Some(Window::Minute),
            ),
            (&[("x-ratelimit-remaining-requests-day", "0")], Some(Window::Day)),
            (&[("x-ratelimit-remaining-minute", "0"), ("x-ratelimit-remaining-hour", "0")], Some(Window::Hour)),
            (
                &[("x-ratelimit-limit-requests", "9;w=86400"), ("x-ratelimit-remaining-requests", "0")],
                Some(Window::Day),
            ),
            (
                &[
                    ("x-ratelimit-limit-requests", "9;w=60"),
                    ("x-ratelimit-remaining-requests", "0"),
                    ("x-ratelimit-limit-tokens", "9;w=1"),
                    ("x-ratelimit-remaining-tokens", "8"),
                ],
                Some(Window::Minute),
            ),
            // Near misses.
            (&[("ratelimit-policy", "10;w=1, 1000;w=3600")], None),
            (&[("ratelimit-policy", "10;w=86400")], None),
            (&[("x-ratelimit-limit-requests", "9;w=60"), ("x-ratelimit-remaining-requests", "3")], None),
            (&[("x-ratelimit-limit-requests", "60")], None),
            (&[("x-ratelimit-limit", "10;window=60")], None),
            (&[("x-ratelimit-limit", "10;w=0")], None),
            (&[("x-ratelimit-limit", "10;w=-1")], None),
            (&[("x-ratelimit-limit", "10;w=soon")], None),
            (&[("x-ratelimit-remaining-requests", "0")], None),
            (&[("x-ratelimit-remaining-minute", "10")], None),
            (&[("x-ratelimit-remaining-minutes-of-fame", "0")], None),
            (&[("x-day-remaining", "0")], None),
            (&[("cache-control", "max-age=1;w=60")], None),
            (&[], None),
        ];
        for (headers, expected) in table {
            let pairs = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")));
            assert_eq!(window(&pairs.collect()), *expected, "{headers:?}");
        }
    }
}
