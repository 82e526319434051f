//! No answer is too strange to be judged, or takes long.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use proptest::prelude::*;
use serde_json::Value;
use trysail_core::{Class, Retryable};
use trysail_http::{Encoding, Expected};
use trysail_providers::{Complaint, Judgement, Providers};

proptest! {
    #[test]
    fn any_bytes_are_judged(
        status in 100_u16..1_000,
        body in prop::collection::vec(any::<u8>(), 0..300),
        hint in prop::collection::vec(32_u8..=255, 0..40),
        expected in any::<Option<(u8, Option<u8>, u8)>>(),
    ) {
        let hint = HeaderValue::from_bytes(&hint).unwrap_or_else(|_| HeaderValue::from_static("-"));
        judged(status, Bytes::from(body), &hint, expected);
    }

    #[test]
    fn anything_like_an_answer_is_judged(
        status in prop::sample::select(vec![200_u16, 201, 301, 400, 401, 403, 404, 413, 429, 500, 503, 529, 999]),
        body in jsonish(),
        cut in 0_usize..400,
        hint in prop::sample::select(vec!["0", "1e9", "2", "nan", "Fri, 29 Sep 2023 16:26:57 GMT", "\u{e9}"]),
        expected in any::<Option<(u8, Option<u8>, u8)>>(),
    ) {
        let mut body = body.into_bytes();
        body.truncate(cut.max(1));
        judged(status, Bytes::from(body), &HeaderValue::from_str(hint).unwrap(), expected);
    }
}

#[test]
fn what_is_nested_deeply_is_judged() {
    let deep = 100_000;
    let mut string = r#"{"error":{"message":"deep","code":"insufficient_quota"}}"#.to_owned();
    while string.len() < 20_000 {
        string = serde_json::json!({ "error": { "message": string } }).to_string();
    }
    let bodies = [
        "[".repeat(deep),
        format!("{}{}", "[".repeat(deep), "]".repeat(deep)),
        r#"{"error":"#.repeat(deep),
        format!("{}1{}", r#"{"error":"#.repeat(deep), "}".repeat(deep)),
        "<".repeat(deep),
        "<style>".repeat(deep),
        "':".repeat(deep),
        "{'a':".repeat(deep),
        ": ".repeat(deep),
        "\"".repeat(deep),
        "data: {}\n".repeat(deep),
        "try again in ".repeat(deep),
        "Error ".repeat(deep),
        string,
    ];
    for body in bodies {
        for status in [200, 400, 500] {
            judged(status, Bytes::from(body.clone()), &HeaderValue::from_static("1"), Some((1, None, 0)));
            judged(status, Bytes::from(body.clone()), &HeaderValue::from_static("1"), None);
        }
    }
}

#[test]
fn json_in_a_message_is_read_a_few_times_over() {
    let mut message = r#"{"error":{"message":"no","code":"insufficient_quota"}}"#.to_owned();
    for depth in 1..6 {
        let judgement = judge(500, &message);
        let found = judgement.verdict().class() == Class::QuotaExhausted;
        assert_eq!(found, depth <= 5, "{depth}");
        message = serde_json::json!({ "error": { "message": format!("upstream: {message}") } }).to_string();
    }
}

#[test]
fn a_long_error_is_known_by_its_beginning() {
    let tail = "x".repeat(1 << 20);
    let page = format!("<html><head><title>Error 1015</title></head><body>You are being rate limited {tail}");
    assert_eq!(judge(403, &page).verdict().class(), Class::Throttled);
    let json = format!(r#"{{"error":{{"code":"insufficient_quota","message":"{tail}"}}}}"#);
    assert_eq!(judge(429, &json).verdict().class(), Class::QuotaExhausted);
}

/// Judges an answer; what must be so for every one, is.
fn judged(status: u16, body: Bytes, hint: &HeaderValue, expected: Option<(u8, Option<u8>, u8)>) {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for name in ["retry-after", "retry-after-ms", "x-ratelimit-reset", "x-amzn-errortype", "x-should-retry"] {
        response.headers_mut().insert(name, hint.clone());
    }
    if let Some((count, dimension, encoding)) = expected {
        let encoding = [Encoding::Any, Encoding::Float, Encoding::Base64][usize::from(encoding) % 3];
        let expected = Expected::vectors(count.into()).encoding(encoding);
        let expected = dimension.map_or(expected, |dimension| expected.dimension(dimension.into()));
        response.extensions_mut().insert(expected);
    }
    let judgement = Providers.judge(&response);
    let verdict = judgement.verdict();
    assert!(judgement.excerpt().is_none_or(|excerpt| excerpt.chars().count() <= 200));
    assert!(verdict.class() != Class::Success || response.status().is_success());
    let final_word = matches!(verdict.class(), Class::QuotaExhausted | Class::Auth);
    assert!(!final_word || verdict.retry() == Retryable::No);
    let _ = format!("{:?}", Complaint::of(&response));
}

fn judge(status: u16, body: &str) -> Judgement {
    Providers.judge(&Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap())
}

/// Text that is JSON of the kinds of things that answers hold.
fn jsonish() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "insufficient_quota",
        "ThrottlingException",
        "Error code: 429 - {'error': {'code': 'x'}}",
        "a#b:c",
        "",
        "é😀",
        "429",
        "{\"error\":{\"code\":1}}",
        "litellm.RateLimitError: x",
        "try again in 5s",
        "AADAf83MzD0=",
        "error code: 1015",
    ]);
    let leaf = prop_oneof![
        word.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "error",
        "errors",
        "code",
        "type",
        "message",
        "detail",
        "details",
        "status",
        "data",
        "embedding",
        "embeddings",
        "index",
        "base_resp",
        "status_code",
        "error_code",
        "metadata",
        "raw",
        "violations",
        "quotaId",
        "object",
    ]);
    let value = leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    value.prop_map(|value| value.to_string())
}
