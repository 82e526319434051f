//! The judge that asks nothing of the body.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    convert::Infallible,
    error::Error,
    io::{self, ErrorKind},
    time::Duration,
};

use http::{Response, StatusCode};
use trysail_core::{Class, Classifier, Elapsed, Health, Remedy, Retryable, Scope, Verdict, Window};
use trysail_http::{ByStatus, CollectError};

/// No body: neither bytes nor readable, not even `Debug`.
struct Opaque;

#[test]
fn a_status_is_judged_whatever_the_body_is() {
    let table = [
        (200, Verdict::SUCCESS),
        (204, Verdict::SUCCESS),
        (299, Verdict::SUCCESS),
        (304, Verdict::PERMANENT),
        (400, Verdict::PERMANENT),
        (401, Verdict::AUTH.advise(Remedy::Reauth)),
        (409, Verdict::TRANSIENT.neutral()),
        (413, Verdict::PERMANENT.advise(Remedy::Split)),
        (418, Verdict::PERMANENT),
        (429, Verdict::THROTTLED),
        (501, Verdict::PERMANENT.neutral()),
        (503, Verdict::TRANSIENT),
        (529, Verdict::TRANSIENT),
        (599, Verdict::TRANSIENT),
        (999, Verdict::TRANSIENT),
    ];
    for (status, verdict) in table {
        assert_eq!(ByStatus::default().judge(&answer(status, &[])), verdict, "{status}");
    }
    let judge = ByStatus::default();
    assert_eq!(Classifier::<_, Infallible>::status(&judge, &answer(503, &[])), Some(503));
}

#[test]
fn the_head_says_when_and_whether_to_ask_again() {
    let second = Duration::from_secs(1);
    let table: &[(u16, Headers, Verdict)] = &[
        (503, &[("retry-after", "3")], Verdict::TRANSIENT.after(3 * second)),
        (429, &[("retry-after-ms", "1500")], Verdict::THROTTLED.after(second * 3 / 2)),
        (429, &[("x-ratelimit-reset", "2")], Verdict::THROTTLED.after(2 * second)),
        (429, &[("x-ratelimit-limit-requests", "9;w=60")], Verdict::THROTTLED.per(Window::Minute)),
        (
            429,
            &[("x-ratelimit-remaining-requests-day", "0"), ("retry-after", "9")],
            Verdict::QUOTA_EXHAUSTED.per(Window::Day).after(9 * second),
        ),
        // A policy of a day is published beside others, and need not be the one that was met.
        (429, &[("ratelimit-policy", "10;w=86400")], Verdict::THROTTLED),
        (503, &[("x-ratelimit-limit-requests", "9;w=60")], Verdict::TRANSIENT),
        (503, &[("x-should-retry", "false")], Verdict::TRANSIENT.once()),
        (418, &[("x-should-retry", "true")], Verdict::PERMANENT.again()),
        (404, &[("x-should-retry", "true")], Verdict::PERMANENT),
        (401, &[("x-should-retry", "true")], Verdict::AUTH.advise(Remedy::Reauth)),
        (200, &[("x-should-retry", "true"), ("retry-after", "3")], Verdict::SUCCESS),
    ];
    for (status, headers, verdict) in table {
        assert_eq!(ByStatus::default().judge(&answer(*status, headers)), *verdict, "{status} {headers:?}");
    }
}

#[test]
fn a_status_of_ones_own_is_judged_as_one_says() {
    let judge = ByStatus::default()
        .on(StatusCode::CONFLICT, Verdict::PERMANENT)
        .on(StatusCode::ACCEPTED, Verdict::WARMING)
        .on(StatusCode::SERVICE_UNAVAILABLE, Verdict::SUCCESS);
    assert_eq!(judge.judge(&answer(409, &[])), Verdict::PERMANENT);
    assert_eq!(judge.judge(&answer(409, &[("x-should-retry", "true")])), Verdict::PERMANENT);
    assert_eq!(judge.judge(&answer(202, &[("retry-after", "1")])), Verdict::WARMING.after(Duration::from_secs(1)));
    assert_eq!(judge.judge(&answer(503, &[])), Verdict::SUCCESS);
    assert_eq!(judge.judge(&answer(502, &[])), Verdict::TRANSIENT);
}

#[test]
fn an_error_is_judged_by_its_types_boxed_or_not() {
    let refused = || io::Error::from(ErrorKind::ConnectionRefused);
    let elapsed = Elapsed::new(Scope::Request, Duration::from_secs(1));
    assert_eq!(failed(refused()), Verdict::TRANSIENT);
    assert_eq!(failed(io::Error::from(ErrorKind::PermissionDenied)), Verdict::PERMANENT.neutral());
    assert_eq!(failed(elapsed).class(), Class::Refused);
    assert_eq!(failed(io::Error::other(elapsed)).class(), Class::Refused);
    assert_eq!(failed(Collected::Body(io::Error::from(ErrorKind::UnexpectedEof))).health(), Health::Failure);
    assert_eq!(failed(Collected::Client(refused())).retry(), Retryable::Yes);
}

type Headers = &'static [(&'static str, &'static str)];
type Collected = CollectError<io::Error, io::Error>;

fn failed<E: Error + Send + Sync + 'static>(error: E) -> Verdict {
    let judge = ByStatus::default();
    let verdict = judge.classify(Err::<&Response<Opaque>, _>(&error));
    let error: Box<dyn Error + Send + Sync> = error.into();
    assert_eq!(judge.boxed().classify(Err::<&Response<Opaque>, _>(&error)), verdict);
    verdict
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Response<Opaque> {
    let response = Response::builder().status(status);
    headers.iter().fold(response, |response, (name, value)| response.header(*name, *value)).body(Opaque).unwrap()
}
