//! Real answers of embedding servers and of what stands before them, against the table of providers.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{collections::BTreeMap, convert::Infallible};

use bytes::Bytes;
use http::{Extensions, Response};
use serde::Deserialize;
use trysail_core::{Class, Classifier, Health, Remedy, Retryable, Verdict};
use trysail_http::{ByStatus, CollectError, Encoding, Expected, retry_after};
use trysail_providers::{Provider, Providers};

#[derive(Deserialize)]
struct Line {
    id: String,
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    class: String,
    retry: bool,
    retry_after_ms: Option<u64>,
    accept_retry_after_ms: Option<Vec<Option<u64>>>,
    breaker: String,
    accept: Vec<String>,
    remedy: Option<String>,
    request: Asked,
}

#[derive(Deserialize)]
struct Asked {
    inputs: usize,
    dimensions: Option<usize>,
    encoding_format: Option<String>,
    kind: Option<String>,
}

#[test]
fn the_tables_judge_real_answers() {
    let lines = lines();
    let mut confusion = BTreeMap::<(&str, &str), u32>::new();
    let (mut class, mut strict, mut retry, mut health, mut remedy) = (0, 0, 0, 0, 0);
    for line in &lines {
        let response = line.response();
        let verdict = judge(&response);
        let judgement = Providers.judge(&response);
        assert_eq!(judgement.verdict(), verdict);
        let word = word(verdict.class());
        let accepted = line.accept.iter().any(|accepted| accepted == word);
        class += u32::from(accepted);
        strict += u32::from(line.class == word);
        *confusion.entry((&line.class, word)).or_default() += 1;
        let retried = verdict.retry() != Retryable::No;
        let final_word = ["quota_exhausted", "auth", "permanent"].contains(&line.class.as_str());
        assert!(!final_word || accepted || !retried, "{} is retried", line.id);
        let healthy = match line.breaker.as_str() {
            "count" => verdict.health() == Health::Failure,
            "success" => verdict.health() == Health::Success,
            _ => verdict.health() != Health::Failure,
        };
        let advised = line.remedy.as_deref() == verdict.remedy().map(advice);
        if line.class != word || retried != line.retry || !healthy || !advised {
            println!(
                "{}: {} {} {} {:?}, judged {word} {retried} {:?} {:?} by {}",
                line.id,
                line.class,
                line.retry,
                line.breaker,
                line.remedy,
                verdict.health(),
                verdict.remedy(),
                judgement.rule(),
            );
        }
        retry += u32::from(retried == line.retry);
        health += u32::from(healthy);
        remedy += u32::from(advised);
    }
    let share = |right: u32| f64::from(right) / lines.len() as f64;
    println!("of {}: class {:.3}, strictly {:.3}, retry {:.3}", lines.len(), share(class), share(strict), share(retry));
    println!("health {:.3}, remedy {:.3}", share(health), share(remedy));
    println!("{:>16} {:>16}", "expected", "judged");
    for ((expected, judged), count) in confusion {
        println!("{expected:>16} {judged:>16} {count:>4}");
    }
    assert!(share(class) >= 0.98);
    assert!(share(strict) >= 0.95);
    assert!(share(health) >= 0.95);
}

/// An unknown server is judged by the common tables alone: they must carry most of it.
#[test]
fn what_is_common_carries_a_server_without_a_table() {
    let lines = lines();
    let mut right = 0;
    for line in &lines {
        let judgement = Provider::OpenAi.judge(&line.response());
        let word = word(judgement.verdict().class());
        if line.accept.iter().any(|accepted| accepted == word) {
            right += 1;
        } else {
            println!("{} needs its table: {} by {}", line.id, word, judgement.rule());
        }
    }
    let share = f64::from(right) / lines.len() as f64;
    println!("without tables of their own: {share:.3}");
    assert!(share >= 0.9);
}

/// There is one table of statuses: where the body says nothing, the whole judge is the judge by status.
#[test]
fn a_status_alone_is_judged_as_the_judge_of_any_service_does() {
    let mut right = 0;
    let lines = lines();
    for line in &lines {
        let mut head = line.response();
        let by_status = ByStatus::new().judge(&head);
        right += u32::from(line.accept.iter().any(|accepted| accepted == word(by_status.class())));
        *head.body_mut() = Bytes::new();
        // Codes that stand in the head are their authors' own.
        for name in ["x-amzn-errortype", "x-amzn-query-error", "x-ms-error-code", "cf-mitigated", "x-ratelimit-type"] {
            head.headers_mut().remove(name);
        }
        if !head.status().is_success() {
            assert_eq!(Providers.judge(&head).verdict(), ByStatus::new().judge(&head), "{}", line.id);
        }
    }
    let share = f64::from(right) / lines.len() as f64;
    println!("by status alone: {share:.3}");
    assert!(share >= 0.7);
    for status in (100..200).chain(300..1_000) {
        // What gateways and clouds say by statuses of their own is theirs.
        let judgement = Providers.judge(&respond(status, ""));
        if judgement.rule().starts_with("status/") {
            assert_eq!(judgement.verdict(), ByStatus::new().judge(&respond(status, "")), "{status}");
        }
    }
}

#[test]
fn a_hint_is_read_where_it_stands() {
    let lines = lines();
    let mut right = 0;
    for line in &lines {
        let response = line.response();
        let hint = retry_after::hint(response.headers(), str::from_utf8(response.body()).ok());
        // Verdicts round up to the next millisecond; a parser does not.
        let ms = hint.map(|hint| hint.as_millis() as u64);
        let accepted = line.accept_retry_after_ms.clone().unwrap_or_else(|| vec![line.retry_after_ms]);
        if accepted.contains(&ms) {
            right += 1;
        } else {
            println!("{}: asks for {accepted:?} ms, read {ms:?}", line.id);
        }
    }
    let share = f64::from(right) / lines.len() as f64;
    println!("hints: {share:.3} of {}", lines.len());
    assert!(share >= 0.98);
}

#[test]
fn only_what_may_work_is_revived_by_the_server() {
    let answer = |status: u16, word: &str, body: &'static str| {
        let response = Response::builder().status(status).header("x-should-retry", word);
        judge(&response.body(Bytes::from_static(body.as_bytes())).unwrap())
    };
    const QUOTA: &str = r#"{"error":{"code":"insufficient_quota"}}"#;
    let table = [
        (503, "false", "", Verdict::TRANSIENT.once()),
        (429, "false", "", Verdict::THROTTLED.once()),
        (503, "true", "", Verdict::TRANSIENT),
        (429, "true", QUOTA, judge(&respond(429, QUOTA))),
        (401, "true", "", judge(&respond(401, ""))),
        (400, "true", "", Verdict::PERMANENT),
        (418, "true", "", Verdict::PERMANENT.again()),
        (418, "", "", Verdict::PERMANENT),
        (599, "", "", Verdict::TRANSIENT),
    ];
    for (status, word, body, verdict) in table {
        assert_eq!(answer(status, word, body), verdict, "{status} {word} {body}");
    }
}

#[test]
fn a_code_in_the_body_outranks_the_status() {
    let table = [
        (200, r#"{"error":{"code":"invalid_api_key"}}"#, Class::Auth),
        (200, r#" {"error":{"code":429}}"#, Class::Throttled),
        (200, r#"{"error":"something"}"#, Class::Malformed),
        (200, r#"{"error":null,"data":[]}"#, Class::Success),
        (200, r#"{"error":"","data":[]}"#, Class::Success),
        (200, r#"{"error":{},"data":[]}"#, Class::Success),
        (200, r#"{"data":[],"note":"\"error\""}"#, Class::Success),
        (400, r#"{"__type":"ThrottlingException"}"#, Class::Throttled),
        (400, r#"[{"error":{"code":400,"details":[{"reason":"API_KEY_INVALID"}]}}]"#, Class::Auth),
        (500, r#"{"error":{"error":{"type":"insufficient_quota"}}}"#, Class::QuotaExhausted),
        (500, "[[[[[[", Class::Transient),
    ];
    for (status, body, class) in table {
        assert_eq!(judge(&respond(status, body)).class(), class, "{status} {body}");
    }
    let deep = "[".repeat(60_000);
    assert_eq!(judge(&respond(500, &deep)).class(), Class::Transient);
}

impl Line {
    fn response(&self) -> Response<Bytes> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let mut response = response.body(Bytes::from(self.body.clone())).unwrap();
        response.extensions_mut().extend(self.request.expected());
        response
    }
}

impl Asked {
    fn expected(&self) -> Extensions {
        let mut extensions = Extensions::new();
        if self.kind.is_none() {
            let expected = Expected::vectors(self.inputs).encoding(match self.encoding_format.as_deref() {
                Some("float") => Encoding::Float,
                Some("base64") => Encoding::Base64,
                _ => Encoding::Any,
            });
            extensions.insert(self.dimensions.map_or(expected, |dimension| expected.dimension(dimension)));
        }
        extensions
    }
}

fn lines() -> Vec<Line> {
    let lines = include_str!("data/provider-responses.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn respond(status: u16, body: &str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
}

fn judge(response: &Response<Bytes>) -> Verdict {
    Providers.classify(Ok::<_, &CollectError<Infallible, Infallible>>(response))
}

/// The class as the corpus spells it.
fn word(class: Class) -> &'static str {
    match class {
        Class::Malformed => "protocol",
        Class::Warming => "transient",
        class => class.as_str(),
    }
}

fn advice(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Split => "split",
        Remedy::Truncate => "truncate",
        Remedy::Reauth => "reauth",
        Remedy::Pay => "pay",
        _ => "other",
    }
}
