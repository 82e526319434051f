//! What stands around the tables: expectations, rules of one's own, evidence.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    convert::Infallible,
    io::{self, ErrorKind},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower_layer::Layer;
use tower_service::Service;
use trysail_core::{Class, Classifier, Verdict};
use trysail_http::{CollectError, CollectLayer, Encoding, Expected};
use trysail_providers::{Judgement, Provider, Providers};

const ONE_OF_TWO: &str = r#"{"data":[{"index":0,"embedding":[1,2]}]}"#;

#[tokio::test]
async fn what_a_request_expects_of_its_answer_is_checked() {
    let mut request = Request::new(());
    assert_eq!(judged(request.clone()).await.verdict(), Verdict::SUCCESS);

    request.extensions_mut().insert(Expected::vectors(2));
    let judgement = judged(request.clone()).await;
    assert_eq!((judgement.verdict(), judgement.rule()), (Verdict::MALFORMED, "answer/count"));

    request.extensions_mut().insert(Expected::vectors(1).dimension(3));
    assert_eq!(judged(request.clone()).await.verdict(), Verdict::MALFORMED.once().neutral());

    request.extensions_mut().insert(Expected::vectors(1).dimension(2).encoding(Encoding::Base64));
    assert_eq!(judged(request).await.verdict(), Verdict::SUCCESS);
}

#[test]
fn an_error_where_vectors_were_expected_is_judged_as_one() {
    let table = [
        (r#"{"object":"error","message":"no such model","type":"NotFoundError","code":404}"#, Class::Permanent),
        (r#"{"error":{"message":"what?"}}"#, Class::Malformed),
        (r#"{"code":500,"msg":"try later"}"#, Class::Transient),
        (r#"{"data":[],"error":{"code":"insufficient_quota"}}"#, Class::QuotaExhausted),
        ("<title>relay | 524: A timeout occurred</title>", Class::Transient),
        ("data: {\"error\":{\"code\":\"invalid_api_key\"}}\n\n", Class::Auth),
        ("no healthy upstream", Class::Transient),
        (r#"{"detail":"Not Found"}"#, Class::Malformed),
    ];
    for (body, class) in table {
        let mut response = answer(200, body);
        response.extensions_mut().insert(Expected::vectors(1));
        assert_eq!(Providers.judge(&response).verdict().class(), class, "{body}");
    }
}

#[test]
fn rules_of_ones_own_have_the_last_word() {
    let judge = Providers
        .rule(|answer, verdict| if answer.status() == 404 { Verdict::WARMING } else { verdict })
        .rule(|_, verdict| verdict.after(Duration::from_secs(3)))
        .rule(|answer, verdict| if answer.status() == 503 { verdict.once() } else { verdict });
    let hint = Duration::from_secs(3);
    for (status, verdict) in [
        (404, Verdict::WARMING.after(hint)),
        (503, Verdict::TRANSIENT.after(hint).once()),
        (500, Verdict::TRANSIENT.after(hint)),
    ] {
        let response = answer(status, "");
        assert_eq!(judge.classify(Ok::<_, &Failed>(&response)), verdict, "{status}");
    }
    let error = CollectError::Client(io::Error::from(ErrorKind::ConnectionRefused));
    assert_eq!(judge.classify(Err::<&Response<Bytes>, &Failed>(&error)), Verdict::TRANSIENT);
    let named = Provider::Tei.rule(|_, verdict| verdict.neutral());
    assert_eq!(named.classify(Ok::<_, &Failed>(&answer(500, ""))), Verdict::TRANSIENT.neutral());
}

#[test]
fn the_evidence_names_its_rule_and_hides_keys() {
    let table = [
        (200, ONE_OF_TWO, "success", None),
        (503, "", "status/503", None),
        (599, "", "status/5xx", None),
        (418, "teapot", "status/4xx", Some("teapot")),
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-abc123","code":"invalid_api_key"}}"#,
            "openai/invalid_api_key",
            Some("Incorrect API key provided: ***"),
        ),
        (429, r#"{"__type":"ThrottlingException"}"#, "bedrock/ThrottlingException", Some("ThrottlingException")),
        (
            429,
            r#"{"message":"limited to 5 API calls / month"}"#,
            "cohere/trial-month",
            Some("limited to 5 API calls / month"),
        ),
    ];
    for (status, body, rule, excerpt) in table {
        let judgement = Providers.judge(&answer(status, body));
        assert_eq!((judgement.rule(), judgement.excerpt()), (rule, excerpt), "{status} {body}");
    }
    let long = format!(r#"{{"error":"{}"}}"#, "many words ".repeat(100));
    let response = Response::builder().status(500).body(Bytes::from(long)).unwrap();
    assert_eq!(Providers.judge(&response).excerpt().unwrap().chars().count(), 200);
}

type Failed = CollectError<io::Error, Infallible>;

async fn judged(request: Request<()>) -> Judgement {
    let response = CollectLayer::new(1_000).layer(Fixed).call(request).await.unwrap();
    Providers.judge(&response)
}

fn answer(status: u16, body: &'static str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
}

/// Always gives the same answer.
struct Fixed;

impl Service<Request<()>> for Fixed {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        std::future::ready(Ok(Response::new(Full::from(ONE_OF_TWO))))
    }
}
