//! What goes out for a typed request, and what comes back.

use std::{error::Error, io};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{BoxError, ServiceExt};
use tower_test::mock;
use trysail_core::{Class, Classified, Failure, Learn, Quota, Remedy, Replay, Verdict};
use trysail_embeddings::{EmbedRequest, Embeddings, Endpoint, LearnUsage};
use trysail_http::Idempotent;

type Mock = mock::Mock<Request<Full<Bytes>>, Response<Bytes>>;
type Handle = mock::Handle<Request<Full<Bytes>>, Response<Bytes>>;
type Judged = Failure<Response<Bytes>, io::Error>;

type Client = tower::util::MapErr<Mock, fn(BoxError) -> Judged>;

/// Over a client whose errors are judged, as those of a mock are that sends such.
fn embeddings(endpoint: Endpoint) -> (Embeddings<Client>, Handle) {
    let (mock, handle) = mock::pair();
    let judged: fn(BoxError) -> Judged = |error| *error.downcast().expect("tests send judged failures");
    (Embeddings::new(mock.map_err(judged), endpoint), handle)
}

fn endpoint() -> Endpoint {
    Endpoint::openai("http://localhost:1/v1/").expect("a base URL")
}

fn answer(body: &Value) -> Response<Bytes> {
    Response::new(body.to_string().into())
}

fn refusal(verdict: Verdict, status: u16, body: &str) -> Judged {
    let response = Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).expect("a status");
    Failure::Response { verdict, status: None, response }
}

async fn sent(request: Request<Full<Bytes>>) -> Value {
    let Ok(body) = request.into_body().collect().await;
    serde_json::from_slice(&body.to_bytes()).expect("a request is JSON")
}

#[tokio::test]
async fn a_redirect_that_was_not_followed_says_where_it_points_and_shows_no_secret() {
    for (status, location, said, url, advice) in [
        (
            301,
            "https://localhost/v1/embeddings/",
            "points to https://localhost/v1/embeddings/",
            true,
            "use that URL, if",
        ),
        (302, "/v1/embeddings/", "points to http://localhost:1/v1/embeddings/", true, "use that URL"),
        (
            308,
            "http://b.test/sk-secret?key=hunter2",
            "points to http://b.test/***?key=…, which is",
            true,
            "use that URL, if",
        ),
        (307, "http://user:hunter2@localhost:1/", "points to http://localhost:1/, which is", true, "use that URL, if"),
        (303, "mailto:hunter2", "points to what is no address", false, "check the URL"),
        (301, "", "does not say where to ask instead", false, "check the URL"),
    ] {
        let (service, mut handle) = embeddings(endpoint().key("sk-secret").unwrap());
        let mut call = task::spawn(service.oneshot(EmbedRequest::new("m", ["a"])));
        assert_pending!(call.poll());
        let (_, answers) = handle.next_request().await.unwrap();
        let Failure::Response { mut response, .. } = refusal(Verdict::PERMANENT, status, "<html>hunter2") else {
            panic!()
        };
        if !location.is_empty() {
            response.headers_mut().insert("location", location.parse().unwrap());
        }
        answers.send_error(Judged::Response { verdict: Verdict::PERMANENT, status: None, response });
        let error = assert_ready_err!(call.poll());
        assert!(error.to_string().starts_with(&format!("the server answered {status} and {said}")), "{error}");
        assert_eq!(error.location().is_some(), url, "{error:?}");
        assert!(error.location().is_none_or(|url| Endpoint::openai(url).is_ok()), "{error:?}");
        assert!(error.advice().unwrap().starts_with(advice), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2") && !format!("{error:?}").contains("sk-secret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_of_https_that_was_asked_in_http_is_told_by_its_words() {
    for said in [
        "<h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port",
        "Client sent an HTTP request to an HTTPS server.\n",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    ] {
        for (base, advice) in
            [("http://a/v1", "that port speaks https"), ("https://a/v1", "the same request will fail")]
        {
            let (service, mut handle) = embeddings(Endpoint::openai(base).unwrap());
            let mut call = task::spawn(service.oneshot(EmbedRequest::new("m", ["a"])));
            assert_pending!(call.poll());
            let (_, answers) = handle.next_request().await.unwrap();
            answers.send_error(refusal(Verdict::PERMANENT, 400, said));
            let error = assert_ready_err!(call.poll());
            assert!(error.advice().unwrap().starts_with(advice), "{error:?}");
            assert_eq!(error.is_unknown_model(), base.starts_with("http:"));
        }
    }
}

#[tokio::test]
async fn a_request_carries_what_a_server_needs() {
    let (service, mut handle) = embeddings(endpoint().key("sk-secret").unwrap());
    let mut request = EmbedRequest::new("m", ["a", "b"]).dimensions(2);
    Idempotent.mark(&mut request, 3);
    let mut call = task::spawn(service.oneshot(request));
    assert_pending!(call.poll());
    let (request, answers) = handle.next_request().await.unwrap();
    assert_eq!(
        (request.method().as_str(), request.uri().to_string()),
        ("POST", "http://localhost:1/v1/embeddings".into())
    );
    let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("authorization"), header("x-retry-count")), ("Bearer sk-secret".into(), "2".into()));
    assert!(request.headers()["authorization"].is_sensitive());
    assert!(!format!("{request:?}").contains("sk-secret"));
    assert_eq!(
        sent(request).await,
        json!({"model": "m", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 2})
    );
    answers.send_response(answer(&json!({"data": [{"embedding": [1, 0]}, {"embedding": [0, 1]}]})));
    let vectors = assert_ready_ok!(call.poll());
    assert_eq!(vectors.vectors().collect::<Vec<_>>(), [[1.0, 0.0], [0.0, 1.0]]);
}

#[tokio::test]
async fn a_server_that_repeats_the_request_has_not_named_the_encoding() {
    let text = "my dear diary, you will not believe it";
    for echo in [
        r#"{"error":"cannot take {\"input\":[\"my dear diary, you will not believe it\"],\"encoding_format\":\"base64\"}"}"#,
        r#"{"detail":"wrong: {'encoding_format': 'base64', 'input': ['my dear diary, you will"}"#,
    ] {
        let (service, mut handle) = embeddings(endpoint());
        let mut call = task::spawn(service.oneshot(EmbedRequest::new("m", [text])));
        assert_pending!(call.poll());
        let (_, answers) = handle.next_request().await.unwrap();
        answers.send_error(refusal(Verdict::PERMANENT, 400, echo));
        let error = assert_ready_err!(call.poll());
        assert!(!error.to_string().contains("diary"), "{error}");
    }
}

#[tokio::test]
async fn other_refusals_are_not_asked_again() {
    let (service, mut handle) = embeddings(endpoint());
    let mut call = task::spawn(service.oneshot(EmbedRequest::new("m", ["a"])));
    assert_pending!(call.poll());
    let (_, answers) = handle.next_request().await.unwrap();
    let verdict = Verdict::PERMANENT.advise(Remedy::Truncate);
    answers.send_error(refusal(verdict, 400, r#"{"error":{"code":"context_length_exceeded","message":"too long"}}"#));
    let error = assert_ready_err!(call.poll());
    assert_eq!(error.to_string(), "the server answered 400 context_length_exceeded: too long");
    assert_eq!((error.verdict(), error.advice()), (verdict, Some("shorten the input")));
    assert_eq!(error.rule(), Some("generic/context_length_exceeded"));
}

#[tokio::test]
async fn an_error_names_the_rule_that_decided_unless_another_judge_did() {
    let quota = r#"{"error":{"code":"insufficient_quota","message":"check your plan"}}"#;
    for (verdict, status, body, rule) in [
        (Verdict::QUOTA_EXHAUSTED, 429, quota, Some("openai/insufficient_quota")),
        (Verdict::TRANSIENT, 503, "", Some("status/503")),
        (Verdict::WARMING, 503, "", None),
    ] {
        let (service, mut handle) = embeddings(endpoint());
        let mut call = task::spawn(service.oneshot(EmbedRequest::new("m", ["a"])));
        assert_pending!(call.poll());
        let (_, answers) = handle.next_request().await.unwrap();
        answers.send_error(refusal(verdict, status, body));
        assert_eq!(assert_ready_err!(call.poll()).rule(), rule, "{status} {body}");
    }
}

#[tokio::test]
async fn an_index_that_is_no_place_is_asked_again_as_one_that_is_there_twice() {
    for index in ["1", "7", "-1", "1.5", r#""first""#, r#""""#, "true", "[0]", "{}"] {
        let (service, mut handle) = embeddings(endpoint());
        let mut call = task::spawn(service.oneshot(EmbedRequest::new("m", ["a", "b"])));
        assert_pending!(call.poll());
        let (_, answers) = handle.next_request().await.unwrap();
        let body = format!(r#"{{"data":[{{"index":{index},"embedding":[1]}},{{"index":1,"embedding":[1]}}]}}"#);
        answers.send_response(Response::new(body.into()));
        let error = assert_ready_err!(call.poll());
        assert_eq!((error.verdict(), error.rule()), (Verdict::MALFORMED, Some("answer/index")), "{index}: {error}");
    }
}

#[tokio::test]
async fn a_success_around_an_error_is_that_error() {
    for (body, class, text) in [
        (r#"{"status":503,"message":"try later"}"#, Class::Transient, "the server answered 200 503: try later"),
        (r#"{"message":"Too Many Requests"}"#, Class::Throttled, "the server answered 200: Too Many Requests"),
        (r#"{"data":[],"message":"model overloaded"}"#, Class::Transient, "the server answered 200: model overloaded"),
        (r#"{"code":401,"msg":"no"}"#, Class::Auth, "the server answered 200 401: no"),
        ("no healthy upstream", Class::Transient, "the server answered 200: no healthy upstream"),
        (
            r#"{"message":"hello"}"#,
            Class::Malformed,
            "the server's answer is not usable: it holds no list of embeddings",
        ),
    ] {
        let (service, mut handle) = embeddings(endpoint());
        let mut call = task::spawn(service.oneshot(EmbedRequest::new("m", ["a"])));
        assert_pending!(call.poll());
        let (_, answers) = handle.next_request().await.unwrap();
        answers.send_response(Response::new(body.into()));
        let error = assert_ready_err!(call.poll());
        assert_eq!((error.verdict().class(), error.to_string()), (class, text.to_owned()), "{body}");
    }
}

#[tokio::test]
async fn an_echoed_key_is_nowhere_in_the_error() {
    let (service, mut handle) = embeddings(endpoint().key("hunter2").unwrap());
    let mut call = task::spawn(service.oneshot(EmbedRequest::new("m", ["my diary"])));
    assert_pending!(call.poll());
    let (_, answers) = handle.next_request().await.unwrap();
    let body = r#"{"error":{"code":"bad hunter2","message":"no such user: hunter2 said hunter2"}}"#;
    answers.send_error(refusal(Verdict::AUTH, 401, body));
    let error = assert_ready_err!(call.poll());
    let all = format!("{error} {error:?} {:?}", error.source());
    assert!(!all.contains("hunter2"), "{all}");
    assert_eq!(error.verdict().class(), Class::Auth);
}

#[tokio::test]
async fn a_wrong_answer_is_a_failed_attempt() {
    let (service, mut handle) = embeddings(endpoint());
    let mut call = task::spawn(service.oneshot(EmbedRequest::new("m", ["a", "b"])));
    assert_pending!(call.poll());
    let (_, answers) = handle.next_request().await.unwrap();
    answers.send_response(answer(&json!({"data": [{"embedding": [1, 0]}]})));
    let error = assert_ready_err!(call.poll());
    assert_eq!(error.to_string(), "the server's answer is not usable: it holds 1 vectors for 2 inputs");
    assert_eq!((error.verdict(), error.rule()), (Verdict::MALFORMED, Some("answer/count")));
    let boxed: Box<dyn Error + Send + Sync> = error.into();
    assert_eq!(boxed.verdict(), Verdict::MALFORMED, "a box keeps the judgement");
}

#[tokio::test]
async fn what_the_head_says_is_left_is_kept_with_the_answer_and_with_the_error() {
    for status in [200, 429] {
        let client = tower::service_fn(move |_: Request<Full<Bytes>>| {
            let body = r#"{"data":[{"embedding":[1,0]}],"usage":{"prompt_tokens":7,"total_tokens":7}}"#;
            let answer = Response::builder()
                .status(status)
                .header("x-ratelimit-limit-tokens", "1000")
                .header("x-ratelimit-remaining-tokens", "993")
                .body(Bytes::from_static(body.as_bytes()))
                .unwrap();
            std::future::ready(if status == 200 {
                Ok(answer)
            } else {
                Err(Judged::Response { verdict: Verdict::THROTTLED, status: Some(status), response: answer })
            })
        });
        let request = EmbedRequest::new("m", ["a text of 20 bytes.."]);
        assert_eq!(request.likely_tokens(), 5);
        let outcome = Embeddings::new(client, endpoint()).oneshot(request).await;
        let lesson = LearnUsage.learn(outcome.as_ref());
        let left = Quota::new(1_000, 993, std::time::Duration::from_secs(60));
        assert_eq!((lesson.allowance.requests, lesson.allowance.cost), (None, left));
        assert_eq!(lesson.cost, (status == 200).then_some(7));
    }
}

#[test]
fn a_base_url_that_cannot_work_is_refused_with_a_reason() {
    for (base, reason) in [
        ("localhost:8080", "the base URL lacks http://"),
        ("localhost:8080/v1", "the base URL lacks http://"),
        ("/v1", "the base URL has no host"),
        ("", "the base URL lacks http://"),
        ("ftp://host/v1", "the base URL is neither http nor https"),
        ("http://user:password@host/v1", "the base URL holds a user or password"),
        ("http://host/v1?key=1", "the base URL has a query"),
        ("http://host:99999/v1", "the base URL has a port that is none"),
        ("http://host:0/v1", "the base URL has a port that is none"),
        ("http://host:80x/v1", "the base URL has a port that is none"),
        ("http://host:/v1", "the base URL has a port that is none"),
        ("http://[::1]:65536/v1", "the base URL has a port that is none"),
    ] {
        let problem = Endpoint::openai(base).unwrap_err().to_string();
        assert!(problem.starts_with(reason), "{base}: {problem}");
        assert!(!problem.contains("user:"), "{problem}");
    }
    for path in ["/v1/embeddings", "/v1/embeddings/"] {
        assert_eq!(Endpoint::openai(&format!("http://host{path}")).unwrap().uri().path(), path);
    }
    let azure = "http://host/openai/deployments/d/embeddings";
    assert_eq!(Endpoint::azure(azure, "d", "1").unwrap().uri().to_string(), format!("{azure}?api-version=1"));
    for base in ["http://host", "http://host/", "https://host:1/deep/v1/", "http://[::1]/v1", "http://[::1]:8080/v1"] {
        assert!(Endpoint::openai(base).unwrap().uri().path().ends_with("/embeddings"));
    }
    for key in ["", "a b", "ä", "a\nb"] {
        assert!(!endpoint().key(key).unwrap_err().to_string().contains("a b"));
    }
}

#[test]
fn debug_shows_neither_texts_nor_keys() {
    let request = EmbedRequest::new("m", ["my diary"]);
    assert!(!format!("{request:?} {:?}", endpoint().key("hunter2").unwrap()).contains("diary"));
    assert!(!format!("{:?}", endpoint().key("hunter2").unwrap()).contains("hunter2"));
}
