//! Which calls of embedding servers may be sent twice.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use http::{Method, Request};
use trysail_core::Replay;
use trysail_providers::Idempotent;

#[test]
fn what_computes_and_changes_nothing_is_repeated() {
    let table = [
        (Method::GET, "/", true),
        (Method::DELETE, "/", true),
        (Method::PATCH, "/v1/embeddings", false),
        (Method::CONNECT, "/v1/embeddings", false),
        (Method::POST, "/v1/embeddings", true),
        (Method::POST, "/v1/embeddings/", true),
        (Method::POST, "/openai/deployments/d/embeddings?api-version=1", true),
        (Method::POST, "/api/embed", true),
        (Method::POST, "/embed", true),
        (Method::POST, "/embed_sparse", true),
        (Method::POST, "/v2/rerank", true),
        (Method::POST, "/v1/reranking", true),
        (Method::POST, "/rerank/jobs", false),
        (Method::POST, "/v1beta/models/m:embedContent", true),
        (Method::POST, "/v1beta/models/m:batchEmbedContents", true),
        (Method::POST, "/v1beta/models/m:asyncBatchEmbedContent", false),
        (Method::POST, "/v1beta/models/m:generateContent", false),
        (Method::POST, "/v1/embeddings/delete", false),
        (Method::POST, "/not-embeddings", false),
        (Method::POST, "/v1/chat?x=/embeddings", false),
        (Method::POST, "/", false),
    ];
    for (method, path, repeated) in table {
        let request = request(&method, path);
        assert_eq!(Idempotent.replay(&request).is_some(), repeated, "{method} {path}");
    }
}

#[test]
fn a_mark_of_either_crate_lets_a_request_be_repeated() {
    let chat = || request(&Method::POST, "/v1/chat/completions");
    assert!(Idempotent.replay(&chat()).is_none());
    let (mut ours, mut plain) = (chat(), chat());
    ours.extensions_mut().insert(Idempotent);
    plain.extensions_mut().insert(trysail_http::Idempotent);
    let copy = Idempotent.replay(&ours).unwrap();
    assert_eq!(copy.extensions().get(), Some(&Idempotent));
    assert!(Idempotent.replay(&plain).is_some());
    assert!(Idempotent.replay(&Idempotent::keyed(chat())).is_some());
}

#[test]
fn a_call_that_somebody_else_repeats_is_not_repeated_however_pure() {
    let mut request = request(&Method::POST, "/v1/embeddings");
    Idempotent.mark(&mut request, 1);
    assert_eq!(request.headers()["x-retry-count"], "0");
    assert!(Idempotent.replay(&request).is_none());
    assert!(trysail_http::Idempotent.replay(&request).is_none());
    assert!(Idempotent.replay(&Idempotent::unmarked(request)).is_some());
}

fn request(method: &Method, path: &str) -> Request<&'static str> {
    Request::builder().method(method).uri(path).body("{}").unwrap()
}
