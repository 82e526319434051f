//! Hints against what other clients assert of theirs.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use trysail_http::retry_after::hint;

#[test]
fn retry_after_is_parsed_as_the_sdks_parse_it() {
    let table: Value = serde_json::from_str(include_str!("data/retry-after-values.json")).unwrap();
    for row in table["rows"].as_array().unwrap() {
        let (value, delay) = (row[1].as_str().unwrap(), row[2].as_f64().unwrap());
        let hint = hint(&headers(&[("retry-after", value), ("date", "Fri, 29 Sep 2023 16:26:37 GMT")]), None);
        let expected = match value {
            // That client drops what is over 120 s while parsing; here patience is the retry's business.
            "121" | "Fri, 29 Sep 2023 16:28:38 GMT" => Some(121.0),
            // A delay under 20 s is that client's own backoff: no hint was found.
            _ => (delay >= 20.0).then_some(delay),
        };
        assert_eq!(hint, expected.map(Duration::from_secs_f64), "{value:?}");
    }
}

#[test]
fn retry_after_is_parsed_as_a_proxy_parses_it() {
    let table: Value = serde_json::from_str(include_str!("data/retry-after-capped.json")).unwrap();
    for row in table["retry_after"].as_array().unwrap() {
        let in_seconds = |s| httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(s));
        let value = match row["value"].as_str() {
            Some("<now+60s http-date>") => in_seconds(60),
            Some("<now+600s http-date>") => in_seconds(600),
            Some(value) => value.to_owned(),
            None => continue,
        };
        let hint = hint(&headers(&[("retry-after", &value)]), None).map(|hint| hint.as_secs_f64());
        match (row["value"].as_str().unwrap(), row["s"].as_u64()) {
            ("<now+60s http-date>", _) => assert!((55.0..=65.0).contains(&hint.unwrap())),
            // That proxy caps at 300 s while parsing; here patience is the retry's business.
            ("<now+600s http-date>", _) => assert!((595.0..=605.0).contains(&hint.unwrap())),
            ("3600", _) => assert_eq!(hint, Some(3_600.0)),
            // Not to wait is no hint.
            (_, Some(0)) => assert_eq!(hint, None),
            // The status is judged elsewhere: nobody asks for the hint of a success.
            (_, None) if row["status"] == 200 => assert_eq!(hint, Some(120.0)),
            (_, seconds) => assert_eq!(hint, seconds.map(|s| s as f64), "{row}"),
        }
    }
}

#[test]
fn a_bucket_says_when_it_is_full() {
    let table: Value = serde_json::from_str(include_str!("data/ratelimit-reset-durations.json")).unwrap();
    for row in table["rows"].as_array().unwrap() {
        let value = row["value"].as_str().unwrap();
        // Both dates of the table are relative to this one.
        let now = "Mon, 23 Nov 2026 00:00:00 GMT";
        for (reset, remaining) in [
            ("x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"),
            ("anthropic-ratelimit-tokens-reset", "anthropic-ratelimit-tokens-remaining"),
        ] {
            let found = hint(&headers(&[(reset, value), (remaining, "0"), ("date", now)]), None);
            // Full at once is no hint.
            let expected = row["ms"].as_u64().filter(|ms| *ms > 0);
            assert_eq!(found, expected.map(Duration::from_millis), "{value:?}");
            assert_eq!(hint(&headers(&[(reset, value), (remaining, "7"), ("date", now)]), None), None);
            assert_eq!(hint(&headers(&[(reset, value), ("date", now)]), None), None);
        }
    }
    for row in table["body_hints"].as_array().unwrap() {
        let found = hint(&HeaderMap::new(), row["body"].as_str());
        assert_eq!(found, row["ms"].as_u64().map(Duration::from_millis), "{row}");
    }
}

#[test]
fn the_first_usable_hint_counts() {
    let all = [
        ("retry-after-ms", "1732.5"),
        ("retry-after", "2"),
        ("x-ratelimit-reset-requests", "1m2.5s"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-tokens", "17ms"),
        ("x-ratelimit-remaining-tokens", "0"),
    ];
    let body = Some("Please try again in 20ms.");
    let ms = |ms: f64| Some(Duration::from_secs_f64(ms / 1_000.0));
    assert_eq!(hint(&headers(&all), body), ms(1_732.5));
    assert_eq!(hint(&headers(&all[1..]), body), ms(2_000.0));
    assert_eq!(hint(&headers(&all[2..]), body), ms(20.0));
    assert_eq!(hint(&headers(&all[2..]), None), ms(62_500.0));
    assert_eq!(hint(&headers(&all[4..]), None), ms(17.0));
    assert_eq!(hint(&headers(&[("retry-after-ms", "0"), ("retry-after", "1.5")]), None), ms(1_500.0));
}

#[test]
fn a_wait_in_milliseconds_counts_under_each_of_its_names() {
    let ms = |ms| Some(Duration::from_millis(ms));
    for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
        for (value, wait) in [("250", ms(250)), (" 7 ", ms(7)), ("1500", ms(1_500)), ("60000", ms(60_000))] {
            assert_eq!(hint(&headers(&[(name, value)]), None), wait, "{name}: {value:?}");
            assert_eq!(hint(&headers(&[(name, value), ("retry-after", "90")]), None), wait, "{name}: {value:?}");
            assert_eq!(hint(&headers(&[(name, value)]), Some("try again in 5s")), wait, "{name}: {value:?}");
        }
        for value in ["0", "-1", "soon", "1e3", "", "nan", "99999999999999999999999"] {
            assert_eq!(hint(&headers(&[(name, value)]), None), None, "{name}: {value:?}");
            assert_eq!(hint(&headers(&[(name, value), ("retry-after", "2")]), None), ms(2_000), "{name}: {value:?}");
        }
    }
    assert_eq!(hint(&headers(&[("retry-after-ms", "0"), ("x-ms-retry-after-ms", "80")]), None), ms(80));
    assert_eq!(hint(&headers(&[("retry-after-ms", "90"), ("x-ms-retry-after-ms", "80")]), None), ms(90));
    assert_eq!(hint(&headers(&[("x-ms-retry-after", "80")]), None), None);
}

#[test]
fn no_value_is_too_strange() {
    let strange = [
        "0",
        "-1",
        "1e9",
        "+1",
        "inf",
        "NaN",
        "0x10",
        "1,5",
        "1.2.3",
        ".",
        "..",
        "1.",
        ".5",
        "٣",
        "5 s 5",
        "1s1",
        "ms",
        "184467440737095516150",
        "18446744073709551615",
        "18446744073709551615h",
        "9999-12-31T23:59:60Z",
        "é",
        "\u{a0}1",
        "Fri, 29 Sep 9999999 16:26:57 GMT",
        "Mon, 01 Jan 0000 00:00:00 GMT",
        "1970-01-01T00:00:00Z",
        "5.03:23:11",
    ];
    let names = ["retry-after-ms", "retry-after", "x-ratelimit-reset", "ratelimit-reset", "anthropic-ratelimit--reset"];
    for value in strange {
        for name in names {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            hint(&headers, Some(value));
            hint(&headers, Some(&format!("try again in {value}")));
        }
    }
    assert_eq!(hint(&headers(&[("retry-after", "1e9")]), None), None);
    let opaque = HeaderMap::from_iter([(http::header::RETRY_AFTER, HeaderValue::from_bytes(b"\xff20").unwrap())]);
    assert_eq!(hint(&opaque, None), None);
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}
