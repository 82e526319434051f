//! How vectors are asked for, of servers that do not know every way.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower::{Service, ServiceExt, service_fn};
use trysail_core::{Class, Classified, Classifier, Failure};
use trysail_embeddings::{EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint};
use trysail_http::CollectError;
use trysail_providers::Providers;

type Answer = (u16, &'static str);
/// Encodings and keys.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// What a server says to each way of asking.
#[derive(Clone, Copy)]
struct Server {
    base64: Answer,
    float: Answer,
    plain: Answer,
}

const GOOD: Answer = (200, r#"{"data":[{"embedding":[1]}]}"#);
const NOTHING: Answer = (200, r#"{"object":"list","data":[],"model":"m"}"#);
const FIELD: Answer = (
    400,
    r#"{"detail":[{"loc":["body","encoding_format"],"msg":"extra fields not permitted","type":"value_error.extra"}]}"#,
);
const BASE64: Answer = (500, r#"{"error":"encoding_format base64 is not supported"}"#);
const PAIR: Answer =
    (400, r#"{"error":{"message":"x does not support parameters: {'encoding_format': 'base64'}. Drop them."}}"#);
const INSIDE: Answer = (
    200,
    r#"{"object":"list","model":"a model with a long name, and behind it the error","data":null,"error":"no base64 is supported"}"#,
);
const BUSY: Answer = (503, "");
const LONG: Answer = (400, r#"{"error":{"message":"This model's maximum context length is 512 tokens"}}"#);
const ECHO: Answer = (400, r#"{"error":"bad","request":{"input":["a"],"encoding_format":"base64"}}"#);

/// A service that calls `server`, and the encodings and keys it was asked with.
fn embeddings(
    server: Server,
) -> (impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError> + Clone, Asked) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let call = move |request: Request<Full<Bytes>>| {
        let seen = Arc::clone(&seen);
        async move {
            let key = request.headers().get("idempotency-key").map_or("", |key| key.to_str().unwrap()).to_owned();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&body).unwrap();
            let encoding = body.get("encoding_format").map_or("plain", |encoding| encoding.as_str().unwrap());
            let (status, said) = match encoding {
                "base64" => server.base64,
                "float" => server.float,
                _ => server.plain,
            };
            seen.lock().unwrap().push((encoding.to_owned(), key));
            let response = Response::builder().status(status).body(Bytes::from_static(said.as_bytes())).unwrap();
            let outcome: Result<_, &CollectError<io::Error, io::Error>> = Ok(&response);
            let verdict = Providers.classify(outcome);
            match verdict.class() {
                Class::Success => Ok(response),
                _ => Err(Failure::<_, io::Error>::Response { verdict, status: Some(status), response }),
            }
        }
    };
    (Embeddings::new(service_fn(call), Endpoint::openai("http://localhost/v1").unwrap()), asked)
}

#[tokio::test]
async fn each_way_is_tried_once_and_what_has_helped_is_remembered() {
    let server = |base64, float, plain| Server { base64, float, plain };
    for (server, good, first, later) in [
        (server(GOOD, GOOD, GOOD), true, "base64", "base64"),
        (server(FIELD, FIELD, GOOD), true, "base64 float plain", "plain"),
        (server(FIELD, GOOD, GOOD), true, "base64 float", "float"),
        (server(BASE64, GOOD, GOOD), true, "base64 float", "float"),
        (server(INSIDE, GOOD, GOOD), true, "base64 float", "float"),
        (server(PAIR, GOOD, GOOD), true, "base64 float", "float"),
        (server(PAIR, PAIR, GOOD), true, "base64 float plain", "plain"),
        (server(NOTHING, GOOD, GOOD), true, "base64 float", "float"),
        // It says nothing whatever is asked for.
        (server(NOTHING, NOTHING, NOTHING), false, "base64 float", "base64 float"),
        (server(FIELD, FIELD, FIELD), false, "base64 float plain", "base64 float plain"),
        // What is no answer to the question proves nothing.
        (server(FIELD, BUSY, GOOD), false, "base64 float", "base64 float"),
        (server(FIELD, FIELD, BUSY), false, "base64 float plain", "base64 float plain"),
        // Now it speaks of something else.
        (server(FIELD, LONG, GOOD), false, "base64 float", "float"),
        (server(FIELD, FIELD, LONG), false, "base64 float plain", "plain"),
        (server(LONG, GOOD, GOOD), false, "base64", "base64"),
        (server(ECHO, GOOD, GOOD), false, "base64", "base64"),
        (server(BUSY, GOOD, GOOD), false, "base64", "base64"),
    ] {
        let (service, asked) = embeddings(server);
        for expected in [first, later] {
            let result = service.clone().oneshot(EmbedRequest::new("m", ["a"])).await;
            assert_eq!(result.is_ok(), good, "{result:?}");
            let asked = asked.lock().unwrap().drain(..).map(|(encoding, _)| encoding).collect::<Vec<_>>();
            assert_eq!(asked.join(" "), expected, "{:?}", server.base64);
        }
    }
}

#[tokio::test]
async fn who_wants_numbers_begins_with_them() {
    let (service, asked) = embeddings(Server { base64: GOOD, float: FIELD, plain: GOOD });
    for expected in [&["float", "plain"][..], &["plain"]] {
        service.clone().oneshot(EmbedRequest::new("m", ["a"]).floats()).await.unwrap();
        let asked = asked.lock().unwrap().drain(..).map(|(encoding, _)| encoding).collect::<Vec<_>>();
        assert_eq!(asked, expected);
    }
}

#[tokio::test]
async fn each_body_has_its_own_key() {
    let requests = [
        EmbedRequest::new("m", ["a"]).keyed(),
        EmbedRequest::new("m", ["a"]).header("idempotency-key", "mine").unwrap(),
        EmbedRequest::new("m", ["a"]).header("idempotency-key", "mine").unwrap().floats(),
    ];
    for request in requests {
        let (service, asked) = embeddings(Server { base64: FIELD, float: FIELD, plain: GOOD });
        service.oneshot(request).await.unwrap();
        let asked = asked.lock().unwrap();
        let keys = asked.iter().map(|(_, key)| key).collect::<HashSet<_>>();
        assert!(keys.len() == asked.len() && !keys.contains(&String::new()), "{asked:?}");
        assert!(asked[0].1 == "mine" || !asked[0].1.starts_with("mine"), "{asked:?}");
    }
}

#[tokio::test]
async fn what_is_said_at_last_is_what_the_caller_hears() {
    let (service, _) = embeddings(Server { base64: FIELD, float: FIELD, plain: LONG });
    let error = service.oneshot(EmbedRequest::new("m", ["a"])).await.unwrap_err();
    assert_eq!(error.verdict().class(), Class::Permanent);
    assert!(error.to_string().contains("maximum context length"), "{error}");
}
