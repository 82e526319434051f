//! Codes that name a server's trouble, with statuses that speak of the caller.

use Class::{Auth, Permanent, QuotaExhausted as Quota, Throttled, Transient, Warming};
use trysail_core::{Class, Retryable};
use trysail_providers::{Provider, Providers};

use crate::{Row, answer, judged};

#[test]
fn a_code_for_the_servers_trouble_does_not_revive_a_status_that_speaks_of_credentials() {
    let codes = [
        "server_error",
        "internal_server_error",
        "InternalServerError",
        "INTERNAL",
        "internal",
        "service_unavailable",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "UNAVAILABLE",
        "temporarily_unavailable",
        "timeout",
        "RequestTimeout",
        "APITimeoutError",
        "APIConnectionError",
        "bad_gateway",
        "upstream_error",
        "overloaded",
        "overloaded_error",
        "model_overloaded",
        "engine_overloaded_error",
        "capacity_exceeded",
        "no_capacity",
        "model_loading",
        "DEADLINE_EXCEEDED",
        "SystemError",
        "Backend",
        "Unhealthy",
        "ModelNotReadyException",
        "no_db_connection",
    ];
    let mut wrong = Vec::new();
    for code in codes {
        for (status, class) in [(401, Auth), (403, Auth), (407, Auth), (402, Quota)] {
            for body in [
                format!(r#"{{"error":{{"message":"no","type":"{code}","code":null}}}}"#),
                format!(r#"{{"error":{{"message":"no","type":"x","code":"{code}"}}}}"#),
                format!(r#"{{"__type":"com.amazon.coral.service#{code}","message":"no"}}"#),
            ] {
                let judgement = Providers.judge(&answer(status, &body));
                if judgement.verdict().class() != class {
                    wrong.push(format!("{status} {body} by {}", judgement.rule()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_code_that_everybody_uses_does_not_revive_a_request_that_cannot_work() {
    let codes = [
        "server_error",
        "internal_server_error",
        "InternalServerError",
        "internal_error",
        "service_unavailable",
        "ServiceUnavailableError",
        "service_not_available",
        "unavailable",
        "timeout",
        "request_timeout",
        "APITimeoutError",
        "gateway_timeout",
        "upstream_error",
        "overloaded",
        "server_overloaded",
        "capacity_exceeded_error",
        "model_loading",
    ];
    let mut wrong = Vec::new();
    for code in codes {
        for status in [400, 404, 405, 410, 413, 415, 422] {
            let body = format!(r#"{{"error":{{"message":"no such thing","type":"{code}","code":null}}}}"#);
            let judgement = Providers.judge(&answer(status, &body));
            if judgement.verdict().class() != Permanent {
                wrong.push(format!("{status} {body} by {}", judgement.rule()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_status_in_the_body_that_names_the_servers_trouble_does_not_either() {
    for inner in [500, 502, 503, 504, 520, 524, 529, 599] {
        for status in [400, 401, 402, 403, 404, 422] {
            for body in [
                format!(r#"{{"error":{{"code":{inner},"message":"no"}}}}"#),
                format!(r#"{{"status":"{inner}","message":"no"}}"#),
                format!(r#"{{"error":{{"message":"no","http_status":{inner}}}}}"#),
            ] {
                let judgement = Providers.judge(&answer(status, &body));
                assert_eq!(judgement.verdict().retry(), Retryable::No, "{status} {body} by {}", judgement.rule());
            }
        }
        let in_success = answer(200, &format!(r#"{{"error":{{"code":{inner},"message":"no"}}}}"#));
        assert_eq!(Providers.judge(&in_success).verdict().retry(), Retryable::Yes);
    }
    judged(&[
        (400, r#"{"error":{"code":429,"message":"no"}}"#, Throttled),
        (400, r#"{"error":{"code":401,"message":"no"}}"#, Auth),
        (502, r#"{"error":{"code":504,"message":"no"}}"#, Transient),
    ]);
}

#[test]
fn a_code_of_the_familys_own_outranks_even_that() {
    judged(OWN);
    let tei = answer(400, r#"{"error":"Backend error","error_type":"Backend"}"#);
    assert_eq!(Provider::Tei.judge(&tei).verdict().class(), Transient);
}

#[test]
fn a_code_still_says_more_than_a_status_that_speaks_of_the_server() {
    judged(SERVERS);
}

const OWN: &[Row] = &[
    (400, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, Transient),
    (400, r#"{"__type":"ModelNotReadyException","message":"not now"}"#, Transient),
    (404, r#"{"error":"no","error_type":"Backend"}"#, Transient),
    (400, r#"{"error":{"message":"no","type":"engine_overloaded_error"}}"#, Transient),
    (400, r#"{"error":{"code":400,"message":"no","status":"UNAVAILABLE"}}"#, Transient),
    (400, r#"{"__type":"RequestTimeout","message":"Idle connections are closed"}"#, Transient),
    (400, r#"{"error":{"code":"ServerOverloaded","message":"no"}}"#, Transient),
    (400, r#"{"error":{"code":"DeploymentNotReady","message":"no"}}"#, Transient),
    (404, r#"{"error":{"code":"DEPLOYMENT_SCALING_UP","message":"no"}}"#, Warming),
    (400, r#"{"error":{"message":"no","type":"EngineDeadError"}}"#, Transient),
    (400, r#"{"error":{"code":"1234","message":"no"}}"#, Transient),
    (401, r#"{"error":{"code":"1120","message":"no"}}"#, Transient),
];

const SERVERS: &[Row] = &[
    (500, r#"{"error":{"type":"server_error"}}"#, Transient),
    (501, r#"{"error":{"type":"server_error"}}"#, Transient),
    (200, r#"{"error":{"type":"server_error"}}"#, Transient),
    (409, r#"{"error":{"type":"service_unavailable"}}"#, Transient),
    (424, r#"{"error":{"type":"upstream_error"}}"#, Transient),
    (429, r#"{"error":{"type":"overloaded"}}"#, Transient),
    (403, r#"{"error":{"type":"rate_limit_error"}}"#, Throttled),
    (400, r#"{"error":{"type":"rate_limit_exceeded"}}"#, Throttled),
    (403, r#"{"error":{"code":"insufficient_quota"}}"#, Quota),
    (400, r#"{"error":{"code":"invalid_api_key"}}"#, Auth),
    (503, r#"{"error":{"code":"model_loading"}}"#, Warming),
    (403, r#"{"message":"your AWS Marketplace subscription for the model is still being processed."}"#, Warming),
];
