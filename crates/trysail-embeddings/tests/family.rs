//! Which servers are of a family, by a fingerprint that was stored.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Service, service_fn};
use trysail_core::{Class, Classified, Failure, Health, Replay, Retryable, Verdict};
use trysail_embeddings::{EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint, Family, Fingerprint};
use trysail_http::Idempotent;

type Seen = Arc<Mutex<Vec<Value>>>;

/// A server that has one vector for everything, or one answer.
fn server(
    answer: Result<Vec<f32>, Verdict>,
) -> (impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError> + Clone, Seen) {
    let seen = Seen::default();
    let sink = Arc::clone(&seen);
    let http = service_fn(move |request: Request<Full<Bytes>>| {
        let (sink, answer) = (Arc::clone(&sink), answer.clone());
        async move {
            let Ok(body) = request.into_body().collect().await;
            sink.lock()
                .expect("nothing panics under it")
                .push(serde_json::from_slice(&body.to_bytes()).expect("a request is JSON"));
            match answer {
                Ok(vector) => Ok(Response::new(json!({"data": [{"embedding": vector}]}).to_string().into())),
                Err(verdict) => Err(Failure::<_, Infallible>::Response {
                    verdict,
                    status: None,
                    response: Response::new(Bytes::new()),
                }),
            }
        }
    });
    (Embeddings::new(http, Endpoint::openai("http://localhost:1/v1").expect("a base URL")), seen)
}

fn family() -> Family {
    Family::new("bge-m3", 3).revision("5617a9f")
}

async fn stored() -> Fingerprint {
    let (live, _) = server(Ok(vec![0.6, 0.8, 0.0]));
    let taken = family().fingerprint("a fair wind", live).await.expect("it answers");
    let stored = serde_json::to_string(&taken).expect("it can be stored");
    serde_json::from_str(&stored).expect("it can be read again")
}

#[tokio::test]
async fn a_fingerprint_outlives_the_server_it_was_taken_from() {
    let fingerprint = stored().await;
    assert_eq!((fingerprint.family(), fingerprint.probe()), (&family(), "a fair wind"));
    assert!(!format!("{fingerprint:?}").contains("wind"), "inputs are not shown");
    let (other, seen) = server(Ok(vec![0.6, 0.8, 0.0]));
    fingerprint.check(other).await.expect("it is the same");
    assert_eq!(
        *seen.lock().expect("nothing panics under it"),
        [json!({"model": "bge-m3", "input": ["a fair wind"], "encoding_format": "base64"})]
    );
}

#[tokio::test]
async fn whoever_is_less_like_it_than_0_999_is_of_another_family() {
    let fingerprint = stored().await;
    for (vector, fits) in [
        (vec![0.6, 0.8, 0.0], true),
        // Length says nothing, nor does the noise of another precision.
        (vec![6.0, 8.0, 0.0], true),
        (vec![0.601, 0.799, 0.002], true),
        (vec![0.6, 0.8, 0.04], true),
        (vec![0.6, 0.8, 0.05], false),
        (vec![0.8, 0.6, 0.0], false),
        (vec![-0.6, -0.8, 0.0], false),
        (vec![0.0, 0.0, 1.0], false),
        (vec![f32::MAX, f32::MAX, f32::MAX], false),
        (vec![0.6, 0.8], false),
        (vec![0.6, 0.8, 0.0, 0.0], false),
    ] {
        let outcome = fingerprint.check(server(Ok(vector.clone())).0).await;
        assert_eq!(outcome.is_ok(), fits, "{vector:?}: {outcome:?}");
        let Err(error) = outcome else { continue };
        let verdict = error.verdict();
        assert_eq!(
            (verdict.class(), verdict.retry(), verdict.health()),
            (Class::Malformed, Retryable::No, Health::Neutral)
        );
        let rule = if vector.len() == 3 { "answer/family" } else { "answer/dimension" };
        assert_eq!(error.rule(), Some(rule), "{error}");
    }
    let error = fingerprint.check(server(Ok(vec![0.8, 0.6, 0.0])).0).await.expect_err("another");
    assert_eq!(
        error.to_string(),
        "the server's answer is not usable: it is of another family: its cosine with the fingerprint is 0.960"
    );
}

#[tokio::test]
async fn what_a_server_says_instead_comes_through() {
    for verdict in [Verdict::TRANSIENT, Verdict::AUTH, Verdict::PERMANENT] {
        let error = stored().await.check(server(Err(verdict)).0).await.expect_err("it says no");
        assert_eq!(error.verdict(), verdict);
        let error = family().fingerprint("probe", server(Err(verdict)).0).await.expect_err("it says no");
        assert_eq!(error.verdict(), verdict);
    }
}

#[tokio::test]
async fn a_family_of_shortened_vectors_asks_for_them() {
    let (server, seen) = server(Ok(vec![0.6, 0.8]));
    let family = Family::new("text-embedding-3-large", 2).shortened();
    let fingerprint = family.fingerprint("probe", server.clone()).await.expect("it answers");
    fingerprint.check(server).await.expect("it is the same");
    assert!(seen.lock().expect("nothing panics under it").iter().all(|body| body["dimensions"] == 2));
    let (longer, _) = self::server(Ok(vec![0.6, 0.8, 0.0]));
    family.fingerprint("probe", longer).await.expect_err("they are longer");
}

#[test]
fn families_are_equal_by_all_that_is_declared() {
    let same = Family::new("bge-m3", 3).revision("5617a9f");
    assert_eq!((family(), family().to_string()), (same, "bge-m3@5617a9f, 3 dimensions".to_owned()));
    for other in [
        Family::new("bge-m3", 3),
        family().revision("main"),
        Family::new("bge-m3", 2).revision("5617a9f"),
        Family::new("e5", 3).revision("5617a9f"),
        family().shortened(),
    ] {
        assert_ne!(family(), other);
    }
}

#[test]
fn a_stored_fingerprint_that_cannot_be_one_is_refused() {
    let stored = |probe: &str, vector: Value| {
        let family = json!({"model": "bge-m3", "dimensions": 2});
        serde_json::from_value::<Fingerprint>(json!({"family": family, "probe": probe, "vector": vector}))
    };
    stored("wind", json!([1, 0])).expect("one");
    for (probe, vector) in [
        ("", json!([1, 0])),
        ("wind", json!([1])),
        ("wind", json!([])),
        ("wind", json!([1, 0, 0])),
        ("wind", json!([0, 0])),
        ("wind", json!([1e39, 0])),
        ("wind", json!([null, 0])),
    ] {
        stored(probe, vector.clone()).expect_err(&format!("{probe} {vector}"));
    }
}

#[test]
fn a_request_goes_to_another_server_whoever_repeats_it_and_without_secrets() -> Result<(), Box<dyn std::error::Error>> {
    let request = || EmbedRequest::new("m", ["text"]);
    let mut marked = request();
    Idempotent.mark(&mut marked, 1);
    assert!(Idempotent.replay(&marked).is_none() && Idempotent.divert(&marked).is_some());
    assert!(Idempotent.divert(&request().field("user", "me")?).is_some());
    for secret in [request().header("authorization", "Bearer hunter2")?, request().query("key", "hunter2")?] {
        assert!(Idempotent.divert(&secret).is_none());
        assert!(trysail_providers::Idempotent.divert(&secret).is_none());
    }
    Ok(())
}

#[tokio::test]
async fn an_error_of_a_boxed_stack_is_one_too() {
    use tower::{BoxError, ServiceExt};
    let fingerprint = stored().await;
    let boxed = server(Ok(vec![0.8, 0.6, 0.0])).0.map_err(BoxError::from);
    let error = fingerprint.check(boxed).await.expect_err("another");
    assert_eq!(error.verdict(), Verdict::MALFORMED.once().neutral());
}
