//! What is done about a server that says when to come back.

use serde::Deserialize;
use serde_json::{Map, Value};
use tower::ServiceBuilder;
use trysail::{
    Backoff, ClassifyLayer, CollectLayer, Idempotent, Providers, RetryLayer,
    retry::{Jitter, Stop},
};

use super::*;

/// The time at which the tables' answers were sent.
const DATE: &str = "Fri, 29 Sep 2023 16:26:37 GMT";

/// One call to a server that answers like this, and then well.
async fn ask(status: u16, headers: &[(&str, &str)], patience: Duration) -> (Result<(), Judged>, RetryReport) {
    let first = answer(status, &[headers, &[("date", DATE)]].concat(), "{}");
    let server = Scripted::new([Ok(first), Ok(answer(200, &[], "{}"))]);
    let stack = ServiceBuilder::new()
        .layer(
            RetryLayer::new(Backoff::exponential(100 * MS).jitter(Jitter::None)).replay(Idempotent).patience(patience),
        )
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1_000))
        .service(server.clone());
    let (outcome, report) = report(stack.oneshot(embedding_request())).await;
    let counts: Vec<_> = server.requests().iter().map(|sent| sent.headers()["x-retry-count"].clone()).collect();
    assert_eq!(counts, ["0", "1"][..counts.len()]);
    (outcome.map(drop), report)
}

#[tokio::test(start_paused = true)]
async fn a_hint_over_the_patience_ends_the_call_and_one_equal_to_it_does_not() {
    #[derive(Deserialize)]
    struct Table {
        status: u16,
        rows: Vec<(Map<String, Value>, bool)>,
        precedence: Vec<String>,
    }
    let table: Table = table("retry-after-too-long");
    for (headers, retry) in table.rows {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let (outcome, report) = ask(table.status, &headers, 120 * SECOND).await;
        assert_eq!((outcome.is_ok(), report.attempts()), (retry, if retry { 2 } else { 1 }), "{headers:?}");
        assert_eq!(report.stop(), (!retry).then_some(Stop::Patience));
        assert!(if retry { report.slept() >= 120 * SECOND } else { report.slept().is_zero() });
    }
    let (outcome, _) = ask(429, &[("retry-after", "121")], 120 * SECOND).await;
    assert!(matches!(outcome, Err(Failure::Response { response, .. }) if response.status() == 429));
    let (outcome, _) = ask(400, &[("retry-after", "Fri, 29 Sep 100000 16:26:57 GMT")], 120 * SECOND).await;
    assert!(matches!(outcome, Err(Failure::Response { response, .. }) if response.status() == 400));
    not_ours("retry-after-too-long", &table.precedence[0], "`true` is not taken for quota, auth and permanent errors");
    not_ours("retry-after-too-long", "attempt_header", "ours is x-retry-count; a caller's own makes it his retry");
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_waited_out_whatever_the_status_it_comes_with() {
    #[derive(Deserialize)]
    struct Table {
        cap_s: u64,
        retry_after: Vec<Row>,
        grpc_pushback_ms: Vec<Value>,
    }
    #[derive(Deserialize)]
    struct Row {
        status: u16,
        value: Option<String>,
        s: Option<u64>,
    }
    let table: Table = table("retry-after-capped");
    for Row { status, value, s } in table.retry_after {
        let (value, s) = match value.as_deref() {
            Some("<now+60s http-date>") => (Some("Fri, 29 Sep 2023 16:27:37 GMT"), Some(60)),
            Some("<now+600s http-date>") => (Some("Fri, 29 Sep 2023 16:36:37 GMT"), s),
            value => (value, s),
        };
        let headers: Vec<_> = value.map(|value| ("retry-after", value)).into_iter().collect();
        let (outcome, report) = ask(status, &headers, Duration::from_secs(table.cap_s)).await;
        match s.map(Duration::from_secs) {
            Some(most) if most.as_secs() == table.cap_s => {
                assert_eq!((outcome.is_err(), report.stop()), (true, Some(Stop::Patience)));
                not_ours(
                    "retry-after-capped",
                    format!("{value:?}"),
                    "a hint is never cut short: over patience, it ends the call",
                );
            }
            Some(hint) if !hint.is_zero() => {
                assert_eq!((outcome.is_ok(), report.hints()), (true, 1), "{value:?}");
                assert!((hint..=hint + 5 * SECOND).contains(&report.slept()), "{value:?}: {:?}", report.slept());
            }
            _ if status == 200 => assert_eq!(report.attempts(), 1),
            // Not to wait is no hint, and what cannot be read is none either: the own schedule holds.
            _ => {
                assert_eq!((outcome.is_ok(), report.hints()), (true, 0), "{value:?}");
                assert!((SECOND..=SECOND * 3 / 2).contains(&report.slept()), "{value:?}");
            }
        }
    }
    for row in table.grpc_pushback_ms {
        not_ours("retry-after-capped", row, "the policy reads verdicts, not gRPC's metadata");
    }
}
