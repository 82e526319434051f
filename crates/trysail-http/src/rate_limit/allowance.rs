//! What is left of a server's limits, as its head says.

use std::time::Duration;

use http::HeaderMap;
use trysail_core::{Allowance, Learn, Lesson, Quota, Window};

use crate::{rate_limit, retry_after};

/// What a head says is left of the limits of requests and of tokens.
///
/// Read are the families of `x-ratelimit-limit/remaining/reset-requests` and `-tokens` (OpenAI's, Azure's, those with a window in
/// the name, and those of one bucket), `anthropic-ratelimit-…`, and `RateLimit` with `RateLimit-Policy` of the IETF. A limit
/// counts over the window that is named; OpenAI's over a minute, unless what is used takes an hour or a day to come back. A
/// bucket of something else (images, audio), or of which the window is not known, is none. Of several the one with the shortest
/// window counts, for that is the one which sets the pace.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_http::rate_limit::allowance;
/// let mut headers = http::HeaderMap::new();
/// headers.insert("x-ratelimit-limit-tokens", "200000".parse()?);
/// headers.insert("x-ratelimit-remaining-tokens", "199500".parse()?);
/// headers.insert("x-ratelimit-reset-tokens", "150ms".parse()?);
/// let tokens = allowance(&headers).cost.expect("it is named");
/// assert_eq!((tokens.limit(), tokens.remaining(), tokens.window()), (200_000, 199_500, Duration::from_secs(60)));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn allowance(headers: &HeaderMap) -> Allowance {
    let mut buckets = Vec::new();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        match name.as_str() {
            "ratelimit" => buckets.extend(items(value).filter_map(left)),
            "ratelimit-policy" => {}
            name => {
                let Some((part, mut bucket)) = named(name) else { continue };
                match part {
                    Part::Limit => {
                        bucket.limit = count(value);
                        bucket.window = bucket.window.or_else(|| rate_limit::written(value).next());
                    }
                    Part::Remaining => bucket.remaining = count(value),
                    Part::Reset => bucket.reset = retry_after::bucket_reset(value.trim(), headers),
                }
                buckets.push(bucket);
            }
        }
    }
    let policies = headers.get_all("ratelimit-policy").iter().filter_map(|value| value.to_str().ok());
    buckets.extend(policies.flat_map(items).filter_map(policy));
    // More than any server has; each is compared with all.
    buckets.truncate(64);
    Allowance { requests: quota(&buckets, Unit::Requests), cost: quota(&buckets, Unit::Tokens) }
}

/// Learns from the head of an answer what its server allows.
#[derive(Clone, Copy, Debug, Default)]
pub struct LearnHead;

impl<B, E> Learn<http::Response<B>, trysail_core::Failure<http::Response<B>, E>> for LearnHead {
    fn learn(&self, outcome: Result<&http::Response<B>, &trysail_core::Failure<http::Response<B>, E>>) -> Lesson {
        let head = match outcome {
            Ok(response) | Err(trysail_core::Failure::Response { response, .. }) => response.headers(),
            Err(_) => return Lesson::default(),
        };
        Lesson { allowance: allowance(head), cost: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Requests,
    Tokens,
}

#[derive(Clone, Copy)]
enum Part {
    Limit,
    Remaining,
    Reset,
}

/// What one header says of one bucket.
#[derive(Clone, Copy, Debug)]
struct Bucket<'a> {
    unit: Unit,
    /// What tells it from others of the same unit: a window, or a policy.
    name: &'a str,
    window: Option<Window>,
    /// Whose limits are counted by the minute, if nobody says otherwise.
    by_minute: bool,
    limit: Option<u64>,
    remaining: Option<u64>,
    reset: Option<Duration>,
}

impl<'a> Bucket<'a> {
    const fn new(unit: Unit, name: &'a str) -> Self {
        Self { unit, name, window: None, by_minute: false, limit: None, remaining: None, reset: None }
    }

    fn and(self, other: Self) -> Self {
        Self {
            window: self.window.or(other.window),
            by_minute: self.by_minute || other.by_minute,
            limit: self.limit.or(other.limit),
            remaining: self.remaining.or(other.remaining),
            reset: self.reset.or(other.reset),
            ..self
        }
    }

    fn quota(self) -> Option<Quota> {
        let (limit, remaining) = (self.limit?, self.remaining?);
        let window = self.window.map(Window::length).or_else(|| self.by_minute.then(|| self.usual_window()))?;
        let quota = Quota::new(limit, remaining.min(limit), window)?;
        Some(self.reset.map_or(quota, |reset| quota.reset(reset)))
    }

    /// A minute, unless what is used comes back as slowly as in an hour or in a day.
    fn usual_window(self) -> Duration {
        let used = self.limit.zip(self.remaining).map_or(0, |(limit, remaining)| limit.saturating_sub(remaining));
        let all = self
            .reset
            .filter(|_| used > 0)
            .map_or(0.0, |reset| reset.as_secs_f64() * self.limit.unwrap_or_default() as f64 / used as f64);
        let near = |window: &Window| (all / window.length().as_secs_f64() - 1.0).abs() < 0.05;
        [Window::Day, Window::Hour].into_iter().find(near).unwrap_or(Window::Minute).length()
    }
}

/// The bucket of a unit that has the shortest window, of which everything needed is known.
fn quota(parts: &[Bucket<'_>], unit: Unit) -> Option<Quota> {
    let of_unit = || parts.iter().filter(|part| part.unit == unit);
    of_unit()
        .filter_map(|first| of_unit().filter(|part| part.name == first.name).copied().reduce(Bucket::and)?.quota())
        .min_by_key(|quota| quota.window())
}

/// What the name of a header speaks of: `x-ratelimit-remaining-tokens-minute`, `anthropic-ratelimit-requests-reset`.
fn named(name: &str) -> Option<(Part, Bucket<'_>)> {
    let mut rest = name.strip_prefix("anthropic-").or_else(|| name.strip_prefix("x-")).unwrap_or(name);
    rest = rest.strip_prefix("ratelimit-").or_else(|| rest.strip_prefix("rate-limit-"))?;
    let (mut part, mut unit, mut window) = (None, None, "");
    for word in rest.split('-') {
        match word {
            "limit" => part = Some(Part::Limit),
            "remaining" => part = Some(Part::Remaining),
            "reset" => part = Some(Part::Reset),
            "requests" | "request" | "req" => unit = Some(Unit::Requests),
            "tokens" | "token" => unit = Some(Unit::Tokens),
            "input" | "prompt" => {}
            _ if rate_limit::named(word).is_some() => window = word,
            _ => return None,
        }
    }
    let bucket = Bucket::new(unit.unwrap_or(Unit::Requests), window);
    Some((part?, Bucket { window: rate_limit::named(window), by_minute: unit.is_some(), ..bucket }))
}

/// An item of `RateLimit`: `"burst";r=50;t=30`, or all of one as older drafts had it, `limit=100, remaining=50, reset=5`.
fn left(item: &str) -> Option<Bucket<'_>> {
    let (bucket, params) = item_of(item)?;
    let seconds = |name| params(name).map(Duration::from_secs);
    Some(Bucket {
        remaining: params("r").or_else(|| params("remaining")),
        reset: seconds("t").or(seconds("reset")),
        limit: params("limit"),
        ..bucket
    })
}

/// An item of `RateLimit-Policy`: `"burst";q=100;w=60`.
fn policy(item: &str) -> Option<Bucket<'_>> {
    let (bucket, params) = item_of(item)?;
    let first = item.split(';').next().and_then(count);
    Some(Bucket { limit: params("q").or(first), window: rate_limit::written(item).next(), ..bucket })
}

/// The name and the unit of an item, and its parameters that are numbers.
fn item_of(item: &str) -> Option<(Bucket<'_>, impl Fn(&str) -> Option<u64> + '_)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| name.starts_with('"')).unwrap_or("");
    let find = move |wanted: &str| {
        let mut params = item.split(';').filter_map(|part| part.split_once('='));
        params.find(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim())
    };
    let unit = match find("qu").map(|unit| unit.trim_matches('"')) {
        None | Some("requests") => Unit::Requests,
        Some("tokens") => Unit::Tokens,
        Some(_) => return None,
    };
    Some((Bucket::new(unit, name), move |wanted: &str| find(wanted).and_then(count)))
}

fn items(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}

/// The whole number that a value begins with.
fn count(value: &str) -> Option<u64> {
    let value = value.trim().trim_matches('"');
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let rest = &value[end..];
    let ends = rest.is_empty() || rest.starts_with(['.', ',', ';', ' ']);
    value[..end].parse().ok().filter(|_| ends)
}

#[cfg(test)]
mod tests;
