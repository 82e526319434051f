//! The tables of others, as far as they judge an answer or an error; a deliberate difference stands beside its row.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    io::{self, ErrorKind},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use serde_json::Value;
use trysail_core::{Cause, Class, Classifier, Elapsed, Health, Open, Retryable, Scope, Verdict};
use trysail_http::{CollectError, Encoding, Expected, retry_after};
use trysail_providers::Providers;

#[test]
fn each_row_of_the_contract_holds() {
    for row in rows(include_str!("data/classification.json"), "rows") {
        let text = |column: usize| row[column].as_str().unwrap_or_default();
        let Some(verdicts) = verdicts(&row[0], text(1)) else {
            // The first two are no outcome of a classified service; of the others tests/client.rs makes real ones. A
            // certificate that does not fit is permanent and neutral here: it tells of a wrong address or our own trust.
            const ELSEWHERE: &[&str] = &["caller dropped", "budget empty", "TLS certificate", "REFUSED_STREAM"];
            assert!(ELSEWHERE.iter().any(|other| text(0).starts_with(other)), "{row}");
            continue;
        };
        for verdict in verdicts {
            assert_eq!(verdict.class(), class(text(2), &row), "{row} {verdict:?}");
            assert_eq!(verdict.health(), health(text(4), &row), "{row} {verdict:?}");
            let retried = match text(3) {
                word if word.starts_with("yes") => true,
                // Too long to wait is a matter of the retry's patience, not of the verdict.
                _ if text(2) == "throttled_too_long" => true,
                // `x-should-retry` may forbid it, as for every transient answer; 409 is retried as its authors' client does.
                _ if row[0] == 409 => true,
                // Closed by a proxy that waited for somebody else's caller: ours is still there.
                _ if row[0] == 499 => true,
                _ => false,
            };
            assert_eq!(verdict.retry() != Retryable::No, retried, "{row} {verdict:?}");
        }
    }
}

#[test]
fn what_is_transient_elsewhere_is_transient_here() {
    let table = include_str!("data/transient-predicates.json");
    for row in rows(table, "status") {
        let status = row[0].as_u64().unwrap() as u16;
        let response = Response::builder().status(status).body(Bytes::new()).unwrap();
        let transient = Providers.judge(&response).verdict().retry() != Retryable::No;
        // A server that does not speak this version will not learn it.
        let expected = row[1] == true && status != 505;
        assert_eq!(transient, expected, "{row}");
    }
    for row in rows(table, "errors") {
        let verdict = match row[0].as_str().unwrap() {
            // A programmer's mistake is no error of a client here; of an unknown one the best is hoped.
            "InvalidCast" | "OperationCanceled caused by InvalidOperation" => continue,
            "HttpRequestException (connect/IO)" => failed(io::Error::from(ErrorKind::ConnectionRefused)),
            "TimeoutRejected (own attempt timeout)" => failed(Elapsed::new(Scope::Attempt, Duration::from_secs(1))),
            "OperationCanceled caused by timeout, caller token not cancelled" => {
                failed(Elapsed::new(Scope::Call, Duration::from_secs(1)))
            }
            "OperationCanceled while the caller's token is cancelled" => {
                failed(Elapsed::new(Scope::Request, Duration::from_secs(1)))
            }
            other => panic!("{other} is new"),
        };
        assert_eq!(verdict.retry() != Retryable::No, row[1] == true, "{row}");
    }
}

#[test]
fn a_hint_that_is_too_long_is_still_a_hint() {
    const PATIENCE: Duration = Duration::from_secs(120);
    for row in rows(include_str!("data/retry-after-too-long.json"), "rows") {
        let mut response = Response::builder().status(429).header("date", "Fri, 29 Sep 2023 16:26:37 GMT");
        for (name, value) in row[0].as_object().unwrap() {
            response = response.header(name, value.as_str().unwrap());
        }
        let response = response.body(Bytes::new()).unwrap();
        let hint = retry_after::hint(response.headers(), None).unwrap();
        assert_eq!(hint <= PATIENCE, row[1] == true, "{row}");
        assert_eq!(Providers.judge(&response).verdict().retry_after(), Some(hint));
    }
}

/// What we make of the things that a row describes in words.
fn verdicts(status: &Value, described: &str) -> Option<Vec<Verdict>> {
    if let Some(status) = status.as_u64() {
        return Some(bodies(described).iter().map(|body| judge(status as u16, body)).collect());
    }
    Some(vec![match status.as_str().unwrap() {
        "connect refused/DNS" => failed(io::Error::from(ErrorKind::ConnectionRefused)),
        "reset before any response byte" => failed(io::Error::from(ErrorKind::ConnectionReset)),
        "own attempt timeout" => failed(Elapsed::new(Scope::Attempt, Duration::from_secs(1))),
        "breaker open" => failed(Open::new(Duration::from_secs(1), Cause::Forced, None)),
        _ => return None,
    }])
}

fn bodies(described: &str) -> Vec<&str> {
    match described {
        "valid embeddings" => vec![r#"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[2,1]}]}"#],
        "fewer vectors than inputs / duplicate or missing index / NaN / empty" => vec![
            r#"{"data":[{"index":0,"embedding":[1,2]}]}"#,
            r#"{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[2,1]}]}"#,
            r#"{"data":[{"index":0,"embedding":[1,2]},{"embedding":[2,1]}]}"#,
            r#"{"data":[{"index":0,"embedding":[1,null]},{"index":1,"embedding":[2,1]}]}"#,
            r#"{"data":[{"index":0,"embedding":[1,NaN]},{"index":1,"embedding":[2,1]}]}"#,
            r#"{"data":[{"index":0,"embedding":[1,1e39]},{"index":1,"embedding":[2,1]}]}"#,
            r#"{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[2,1]}]}"#,
            "",
        ],
        "wrong dimension / all-zero / HTML" => vec![
            r#"{"data":[{"index":0,"embedding":[1,2,3]},{"index":1,"embedding":[2,1,3]}]}"#,
            r#"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[2,1,3]}]}"#,
            r#"{"data":[{"index":0,"embedding":[0,0]},{"index":1,"embedding":[2,1]}]}"#,
            "<!DOCTYPE html><title>Sign in</title>",
        ],
        "truncated body / read error / body-idle timeout" => vec![r#"{"data":[{"index":0,"embedding":[1,2"#],
        "maximum context length / too many inputs" => vec![
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens"}}"#,
            r#"{"message":"Too many inputs in request, split into more batches."}"#,
        ],
        "model not found" => vec![r#"{"error":{"code":"model_not_found"}}"#],
        "html from proxy" => vec!["<html><title>404 Not Found</title></html>"],
        "TEI backend error" => vec![r#"{"error":"Backend error: out of memory","error_type":"Backend"}"#],
        "insufficient_quota / billing_hard_limit" => {
            vec![r#"{"error":{"code":"insufficient_quota"}}"#, r#"{"error":{"code":"billing_hard_limit_reached"}}"#]
        }
        "rate_limit_exceeded, retry-after 2" => vec![r#"{"error":{"code":"rate_limit_exceeded"},"retry_after":2}"#],
        "retry-after 86400" => vec!["retry after 86400 seconds"],
        "TEI 'Model is overloaded', no hint" => vec![r#"{"error":"Model is overloaded","error_type":"Overloaded"}"#],
        "html" => vec!["<html><title>502 Bad Gateway</title></html>"],
        "model loading (Ollama/TEI/HF)" => vec![
            r#"{"error":"llm server loading model"}"#,
            r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
            r#"{"error":"Model m is currently loading","estimated_time":20.0}"#,
        ],
        "retry-after 5" => vec!["please retry after 5 seconds"],
        "overloaded" => vec![r#"{"type":"error","error":{"type":"overloaded_error"}}"#],
        other => vec![other],
    }
}

fn class(word: &str, row: &Value) -> Class {
    match word {
        "ok" => Class::Success,
        "throttled" | "throttled_too_long" => Class::Throttled,
        "quota" => Class::QuotaExhausted,
        "auth" => Class::Auth,
        // The corpus calls a conflict of two requests transient.
        "conflict" => Class::Transient,
        "input" | "input_too_large" | "config" => Class::Permanent,
        // A proxy's page is no transport error: the address is wrong.
        "transport-ish" => Class::Permanent,
        // Whole by its framing: an answer was given, and it is none.
        "transport" if row[0] == 200 => Class::Malformed,
        // Not implemented is not to be repeated: the corpus calls it permanent.
        "server" if row[0] == 501 => Class::Permanent,
        "invalid_response" => Class::Malformed,
        "rejected" => Class::Refused,
        "warming" => Class::Warming,
        _ => Class::Transient,
    }
}

fn health(word: &str, row: &Value) -> Health {
    match word {
        // Both say nothing about whether the server can embed.
        "success" if row[0] == 409 || row[0] == 501 => Health::Neutral,
        "success" => Health::Success,
        "failure" => Health::Failure,
        _ => Health::Neutral,
    }
}

fn judge(status: u16, body: &str) -> Verdict {
    let mut response = Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
    response.extensions_mut().insert(Expected::vectors(2).dimension(2).encoding(Encoding::Float));
    Providers.judge(&response).verdict()
}

/// The verdict on a client's error with this cause.
fn failed(cause: impl Error + Send + Sync + 'static) -> Verdict {
    let error = CollectError::<_, Infallible>::Client(Caused(Box::new(cause)));
    Providers.classify(Err::<&Response<Bytes>, _>(&error))
}

#[derive(Debug)]
struct Caused(Box<dyn Error + Send + Sync>);

impl fmt::Display for Caused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call failed")
    }
}

impl Error for Caused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

fn rows(table: &str, name: &str) -> Vec<Value> {
    let mut table: Value = serde_json::from_str(table).unwrap();
    match table[name].take() {
        Value::Array(rows) => rows,
        other => panic!("{name} is {other}"),
    }
}
