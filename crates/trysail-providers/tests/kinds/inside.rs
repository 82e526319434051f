//! Errors inside a success.

use Class::{Auth, Malformed, Permanent, QuotaExhausted as Quota, Success, Throttled, Transient, Warming};
use trysail_core::{Class, Retryable};
use trysail_http::Expected;
use trysail_providers::Providers;

use crate::answer;

#[test]
fn a_success_around_an_error_that_a_retry_cures_is_judged_by_that_error() {
    let mut wrong = Vec::new();
    for (body, class) in ANSWERS {
        for expected in [false, true] {
            let mut response = answer(200, body);
            if expected {
                response.extensions_mut().insert(Expected::vectors(1));
            }
            let judgement = Providers.judge(&response);
            let retried = matches!(class, Transient | Throttled | Warming | Malformed);
            let verdict = judgement.verdict();
            if verdict.class() != *class || (verdict.retry() != Retryable::No) != retried {
                wrong.push(format!("{body}\n  {expected}: is {class}, judged {verdict} by {}", judgement.rule()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn where_vectors_were_expected_all_of_the_body_is_looked_at() {
    for (body, class) in EXPECTED {
        let mut response = answer(200, body);
        response.extensions_mut().insert(Expected::vectors(1));
        let judgement = Providers.judge(&response);
        assert_eq!(judgement.verdict().class(), *class, "{body} by {}", judgement.rule());
    }
}

#[test]
fn a_success_that_only_mentions_errors_is_one() {
    for body in GOOD {
        assert_eq!(Providers.judge(&answer(200, body)).verdict().class(), Success, "{body}");
        let mut response = answer(200, body);
        response.extensions_mut().insert(Expected::vectors(1));
        assert_eq!(Providers.judge(&response).verdict().class(), Success, "{body}");
    }
}

/// With and without an expectation.
const ANSWERS: &[(&str, Class)] = &[
    (r#"{"error":{"code":503,"message":"no"}}"#, Transient),
    (r#"{"error":{"code":"503","message":"no"}}"#, Transient),
    (r#"{"error":{"code":502,"message":"Provider returned error"}}"#, Transient),
    (r#"{"error":{"status":504,"message":"no"}}"#, Transient),
    (r#"{"error":{"code":529}}"#, Transient),
    (r#"{"error":{"code":408}}"#, Transient),
    (r#"{"error":{"code":429,"message":"no"}}"#, Throttled),
    (r#"{"error":{"http_status":429,"message":"no"}}"#, Throttled),
    (r#"{"error":"model overloaded"}"#, Transient),
    (r#"{"error":"The model is overloaded. Please try again later."}"#, Transient),
    (r#"{"error":true,"status":503,"message":"no"}"#, Transient),
    (r#"{"error":"Service Unavailable"}"#, Transient),
    (r#"{"error":"Internal error encountered."}"#, Transient),
    (r#"{"error":"request timed out"}"#, Transient),
    (r#"{"error":"upstream timeout"}"#, Transient),
    (r#"{"error":{"message":"An unexpected error occurred, please try again later"}}"#, Transient),
    (r#"{"error":{"message":"Something went wrong, retry in a few seconds"}}"#, Transient),
    (r#"{"error":{"message":"temporary failure"}}"#, Transient),
    (r#"{"error":{"message":"CUDA out of memory"}}"#, Transient),
    (r#"{"error":{"type":"internal_error","message":"no"}}"#, Transient),
    (r#"{"error":"model is loading"}"#, Warming),
    (r#"{"error":"Too Many Requests"}"#, Throttled),
    (r#"{"errors":[{"message":"rate limit exceeded"}]}"#, Throttled),
    (r#"{"error_code":503,"error_msg":"no"}"#, Transient),
    (r#"{"object":"error","message":"Service Unavailable","type":"ServiceUnavailableError","code":503}"#, Transient),
    (r#"{"object":"error","message":"too many requests","code":429}"#, Throttled),
    (r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, Transient),
    (r#"{"status":"error","message":"Service temporarily unavailable"}"#, Transient),
    (r#"{"status":"error","code":500,"message":"no"}"#, Transient),
    (r#"{"errorMessage":"Task timed out after 30.03 seconds","errorType":"Sandbox.Timedout"}"#, Transient),
    (r#"{"Error":{"Code":"Throttling","Message":"Rate exceeded"}}"#, Throttled),
    (r#"{"error":{"message":"{\"error\":{\"code\":503,\"message\":\"no\"}}"}}"#, Transient),
    ("data: {\"error\":{\"code\":503,\"message\":\"no\"}}\n\n", Transient),
    // Those that it does not cure.
    (r#"{"error":{"code":401,"message":"no"}}"#, Auth),
    (r#"{"error":{"code":404,"message":"no such model"}}"#, Permanent),
    (r#"{"error":{"code":400,"message":"Invalid input; fix it and try again"}}"#, Permanent),
    (r#"{"error":{"code":402,"message":"no"}}"#, Quota),
    (r#"{"object":"error","message":"no such model","type":"NotFoundError","code":404}"#, Permanent),
    (r#"{"error":"what?"}"#, Malformed),
];

const EXPECTED: &[(&str, Class)] = &[
    (r#"{"code":503,"msg":"no"}"#, Transient),
    (r#"{"status":429,"title":"Too Many Requests"}"#, Throttled),
    (r#"{"message":"Service temporarily unavailable","data":null}"#, Transient),
    (r#"{"data":[],"message":"model overloaded"}"#, Transient),
    (r#"{"embedding":[],"error":{"code":503}}"#, Transient),
    (r#"{"embedding":[],"error":{"code":"insufficient_quota"}}"#, Quota),
    (r#"{"data":[{"embedding":null}],"error":{"message":"model overloaded"}}"#, Transient),
    ("upstream connect error or disconnect/reset before headers", Transient),
    ("<html><head><title>503 Service Temporarily Unavailable</title></head></html>", Transient),
    ("<html><head><title>429 Too Many Requests</title></head></html>", Throttled),
    (
        r#"{"fault":{"faultstring":"Spike arrest violation. Allowed rate : 5ps","detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}"#,
        Throttled,
    ),
    // A page of a login, a text of another server.
    ("<html><title>Sign in</title></html>", Malformed),
    ("Ollama is running", Malformed),
];

const GOOD: &[&str] = &[
    r#"{"error":null,"data":[{"index":0,"embedding":[1,2]}]}"#,
    r#"{"errors":[],"data":[{"index":0,"embedding":[1,2]}]}"#,
    r#"{"error":{},"data":[{"index":0,"embedding":[1,2]}]}"#,
    r#"{"error_code":0,"error_msg":"","data":[{"index":0,"embedding":[1,2]}]}"#,
    r#"{"errorCode":0,"data":[{"index":0,"embedding":[1,2]}]}"#,
    r#"{"errorMessage":null,"data":[{"index":0,"embedding":[1,2]}]}"#,
    r#"{"object":"list","data":[{"index":0,"embedding":[1,2]}],"model":"error-overloaded-503"}"#,
    r#"{"model":"error","code":503,"data":[{"index":0,"embedding":[1,2]}]}"#,
    r#"{"status":"ok","error":false,"data":[{"index":0,"embedding":[1,2]}]}"#,
    r#"{"success":true,"errors":[],"messages":["slow down"],"data":[{"index":0,"embedding":[1,2]}]}"#,
];
