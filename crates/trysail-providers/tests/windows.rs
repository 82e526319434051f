//! Over what time a limit is counted that a caller went over.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use bytes::Bytes;
use http::Response;
use trysail_core::{Class, Verdict, Window};
use trysail_providers::Providers;

use Window::{Day, Hour, Minute, Second};

#[test]
fn an_answer_names_the_window_of_its_limit() {
    let mut wrong = Vec::new();
    for (said, window) in NAMED {
        for body in [said.to_string(), serde_json::json!({ "error": { "message": said, "type": "x" } }).to_string()] {
            let verdict = judge(429, &body);
            let class = if *window == Day { Class::QuotaExhausted } else { Class::Throttled };
            if (verdict.class(), verdict.window()) != (class, Some(*window)) {
                wrong.push(format!("{body}: {window:?}, judged {verdict:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_only_looks_like_a_window_is_none() {
    let mut wrong = Vec::new();
    for said in NEAR_MISSES {
        let verdict = judge(429, said);
        if (verdict.class(), verdict.window()) != (Class::Throttled, None) {
            wrong.push(format!("{said}: judged {verdict:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_code_names_it_as_well() {
    let table = [
        (r#"{"error":{"code":"RateLimitExceeded.EndpointRPMExceeded","message":"slow down"}}"#, Minute),
        (r#"{"error":{"code":"ModelAccountTpmRateLimitExceeded","message":"slow down"}}"#, Minute),
        (r#"{"error":{"code":"requests_per_second_exceeded","message":"slow down"}}"#, Second),
        (r#"{"error":{"code":"rate_limit_exceeded","type":"requests_per_hour"}}"#, Hour),
    ];
    for (body, window) in table {
        let verdict = judge(429, body);
        assert_eq!((verdict.class(), verdict.window()), (Class::Throttled, Some(window)), "{body}");
    }
}

#[test]
fn nothing_but_a_rate_limit_has_a_window() {
    for (status, body) in [
        (503, "at most 10 requests per minute are served now"),
        (400, r#"{"error":{"message":"tokens per minute must be a number"}}"#),
        (401, "unknown key; 3 requests per second without one"),
        (429, r#"{"error":{"code":"insufficient_quota","message":"no balance; 3 RPM"}}"#),
    ] {
        let verdict = judge(status, body);
        assert_eq!(verdict.window(), None, "{status} {body}: {verdict:?}");
    }
}

/// The rule that judged is still named, and what it advises is kept.
#[test]
fn the_window_changes_nothing_else() {
    let body = |said: &str| Bytes::from(format!(r#"{{"error":{{"message":"{said}","code":"rate_limit_exceeded"}}}}"#));
    let answer = |said| Response::builder().status(429).header("retry-after", "7").body(body(said)).unwrap();
    let (plain, windowed) = (answer("too fast"), answer("too fast: 3 requests per min (RPM)"));
    assert_eq!(Providers.judge(&windowed).rule(), Providers.judge(&plain).rule());
    assert_eq!(Providers.judge(&windowed).verdict(), Providers.judge(&plain).verdict().per(Minute));
}

#[test]
fn the_head_names_it_where_the_body_does_not() {
    let head = |name, value| Response::builder().status(429).header(name, value);
    let judged = |answer: http::response::Builder, body: &'static str| {
        let verdict = Providers.judge(&answer.body(Bytes::from_static(body.as_bytes())).unwrap()).verdict();
        (verdict.class(), verdict.window())
    };
    let limit = || head("x-ratelimit-limit-requests", "3, 3;w=60");
    assert_eq!(judged(limit(), ""), (Class::Throttled, Some(Minute)));
    assert_eq!(judged(limit(), "3 requests per second"), (Class::Throttled, Some(Second)));
    assert_eq!(judged(limit(), "3 requests per day"), (Class::QuotaExhausted, Some(Day)));
    let empty = || head("x-ratelimit-remaining-requests-day", "0");
    assert_eq!(judged(empty(), ""), (Class::QuotaExhausted, Some(Day)));
    assert_eq!(judged(head("ratelimit-policy", "9;w=86400"), ""), (Class::Throttled, None));
}

fn judge(status: u16, body: &str) -> Verdict {
    let response = Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
    Providers.judge(&response).verdict()
}

const NAMED: &[(&str, Window)] = &[
    ("Rate limit reached for m in organization o on tokens per min (TPM): Limit 10, Used 9, Requested 4.", Minute),
    ("Rate limit reached for requests per min. Limit: 3 / min. Please try again in 20s.", Minute),
    ("Rate limit reached for default-m on requests per min (RPM): Limit 3", Minute),
    ("You are limited to 3 RPM and 10K TPM", Minute),
    ("request reached organization max RPM: 3", Minute),
    ("trial keys are limited to 40 API calls / minute", Minute),
    ("100 requests/min", Minute),
    ("Rate limit of 15 per 60s exceeded for UserByModelByMinute.", Minute),
    ("Quota exceeded for 'GenerateContentRequestsPerMinutePerProjectPerRegion'", Minute),
    ("您的账户已达到每分钟请求次数上限", Minute),
    ("Maximum of 600 QPM", Minute),
    ("at most five calls every minute", Minute),
    ("Rate limit reached: 10 requests per second", Second),
    ("limit 5 RPS", Second),
    ("Open api qps request limit reached", Second),
    ("too many requests: 20 req/s", Second),
    ("10 calls/sec", Second),
    ("每秒请求过多", Second),
    ("max 100 requests per hour", Hour),
    ("500/hour", Hour),
    ("your hourly limit is reached", Hour),
    ("Rate limit of 9 per 3600s exceeded", Hour),
    // Of several, what is assumed where none is named, or the longer.
    ("limits: 10 requests per minute, 500 per hour, 3 per second", Minute),
    ("limits: 5 per second, 500 per hour", Hour),
    ("Rate limit reached on requests per day (RPD): Limit 200", Day),
    ("request reached max RPD: 200", Day),
    ("500 requests per day, 3 per minute", Day),
    ("Rate limit of 150 per 86400s exceeded for UserByModelByDay.", Day),
];

const NEAR_MISSES: &[&str] = &[
    "Too many requests",
    "Rate limit exceeded, see https://example.com/minio/rpmalloc",
    "too fast: no permission to burst",
    "slow down: one per minimum charge",
    "slow down, per secondary region",
    "slow down; secondly, read the docs",
    "rate limited by https://example.com/hours",
    "please try again in a minute",
    "please try again in 20 seconds",
    "you have waited 3 minutes",
    "slow down: torps, https, ktpms",
    "rate limit exceeded by the rpms you sent",
    "rate limit: 10 per secret",
    "per hourglass turn, one call",
];
