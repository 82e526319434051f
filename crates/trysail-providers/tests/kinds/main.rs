//! Whole kinds of answers, each with those that only look like one.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod aws;
mod cloudflare;
mod flight;
mod inside;
mod money;
mod revived;

use bytes::Bytes;
use http::Response;
use trysail_core::{Class, Retryable};
use trysail_providers::{Judgement, Providers};

type Row = (u16, &'static str, Class);

/// Each row is judged as it says, and asked again if its class is worth it.
fn judged(rows: &[Row]) {
    let wrong = rows.iter().filter_map(|(status, body, class)| fault(&answer(*status, body), *class));
    let wrong = wrong.collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// What is wrong with the judgement on `response`.
fn fault(response: &Response<Bytes>, class: Class) -> Option<String> {
    let judgement: Judgement = Providers.judge(response);
    let verdict = judgement.verdict();
    let retried = matches!(class, Class::Transient | Class::Throttled | Class::Warming);
    let right = verdict.class() == class && (verdict.retry() != Retryable::No) == retried;
    (!right).then(|| {
        let body = String::from_utf8_lossy(response.body());
        format!("{} {body}\n  is {class}, judged {verdict} by {}", response.status(), judgement.rule())
    })
}

fn answer(status: u16, body: &str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
}
