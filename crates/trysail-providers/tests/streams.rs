//! Answers whose success is a stream.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    convert::Infallible,
    error::Error,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower_layer::Layer;
use tower_service::Service;
use trysail_core::{Class, Classifier, Remedy, Verdict};
use trysail_http::{ByStatus, CollectError, CollectLayer, Expected, MaybeCollected};
use trysail_providers::{Provider, Providers};

const QUOTA: &str = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
const RATE: &str = r#"{"error":{"message":"Please try again in 2s","code":"rate_limit_exceeded"}}"#;
const VECTORS: &str = r#"{"data":[{"index":0,"embedding":[1,2]}]}"#;

type Streamed = Response<MaybeCollected<Full<Bytes>>>;

/// The status is the same, and only the body tells them apart.
#[tokio::test]
async fn a_stream_whose_quota_is_spent_is_not_one_that_is_throttled() {
    let (quota, rate) = (judged(429, QUOTA).await, judged(429, RATE).await);
    assert_eq!(quota, Verdict::QUOTA_EXHAUSTED.advise(Remedy::Pay));
    assert_eq!(rate, Verdict::THROTTLED.after(Duration::from_secs(2)));
    let answer = |body| Response::builder().status(429).body(Bytes::from_static(body)).unwrap();
    assert_eq!(ByStatus::new().judge(&answer(QUOTA.as_bytes())).class(), Class::Throttled);
    for (status, body) in [(401, "{}"), (503, "model is loading"), (500, QUOTA), (418, "")] {
        let whole = Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap();
        assert_eq!(judged(status, body).await, Providers.judge(&whole).verdict(), "{status} {body}");
    }
}

/// Verdict and circuit end at the head of a success, whatever its body turns out to hold.
#[tokio::test]
async fn a_success_is_judged_by_its_head_and_not_touched() {
    for body in [VECTORS, QUOTA, "", "event: error\ndata: {}\n\n"] {
        assert_eq!(judged(200, body).await, Verdict::SUCCESS, "{body}");
        let mut answer = stream(200, body).await;
        answer.extensions_mut().insert(Expected::vectors(7));
        assert_eq!(verdict(&answer), Verdict::SUCCESS);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), body);
    }
}

/// What a judge looks at is in what is kept.
#[tokio::test]
async fn an_error_that_was_cut_is_judged_as_the_whole_was() {
    let echo = "x".repeat(1 << 20);
    let table = [
        (429, format!(r#"{{"error":{{"code":"insufficient_quota","message":"no","echo":"{echo}"}}}}"#)),
        (429, format!(r#"{{"error":{{"message":"Please try again in 2s","type":"tokens","input":"{echo}"}}}}"#)),
        (400, format!(r#"{{"error":"Input validation error: `inputs` must have less than 512 tokens. {echo}"}}"#)),
        (503, format!("<html><title>Error 1015</title>{echo}")),
        (500, echo),
    ];
    for (status, body) in table {
        let whole = Response::builder().status(status).body(Bytes::from(body.clone())).unwrap();
        let whole = Providers.judge(&whole);
        let shown = &body[..body.len().min(80)];
        let collected = CollectLayer::new(64 << 20).layer(Once(status, body.clone())).call(Request::new(())).await;
        let collected = collected.unwrap();
        assert_eq!(collected.body().len(), 64 << 10);
        assert_eq!(Providers.judge(&collected).rule(), whole.rule(), "{shown}");
        assert_eq!(judged(status, &body).await, whole.verdict(), "{shown}");
    }
}

async fn judged(status: u16, body: &str) -> Verdict {
    verdict(&stream(status, body).await)
}

fn verdict(answer: &Streamed) -> Verdict {
    type Failed = CollectError<Infallible, Infallible>;
    let verdict = Providers.classify(Ok::<_, &Failed>(answer));
    assert_eq!(Providers.classify(Ok::<_, &Box<dyn Error + Send + Sync>>(answer)), verdict);
    assert_eq!(Provider::OpenAi.classify(Ok::<_, &Failed>(answer)).class(), verdict.class());
    verdict
}

async fn stream(status: u16, body: &str) -> Streamed {
    CollectLayer::errors(64 << 10).layer(Once(status, body.to_owned())).call(Request::new(())).await.unwrap()
}

struct Once(u16, String);

impl Service<Request<()>> for Once {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let body = Full::new(Bytes::from(self.1.clone()));
        std::future::ready(Ok(Response::builder().status(self.0).body(body).unwrap()))
    }
}
