//! Who repeats what: marks, keys and deadlines, wherever retries and typed calls stand to each other.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn,
    util::{BoxCloneService, MapRequestLayer},
};
use trysail::{
    Backoff, Batches, Classified, ClassifyLayer, Client, CollectLayer, Deadline, EmbedError, EmbedRequest,
    EmbedResponse, Embeddings, Endpoint, Failure, Idempotent, Preset, Providers, RetryLayer, SendDeadlineLayer,
    TakeDeadlineLayer, report, retry::Stop,
};

type Wire = Request<Full<Bytes>>;
type Judged = Failure<Response<Bytes>, trysail::transport::CollectError<Infallible, Infallible>>;
type Http = BoxCloneService<Wire, Response<Bytes>, Judged>;
type Typed = BoxCloneService<EmbedRequest, EmbedResponse, EmbedError>;

/// A server in this process, whose first answers are 503.
#[derive(Clone, Default)]
struct Server {
    failures: usize,
    seen: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Server {
    fn failing(failures: usize) -> Self {
        Self { failures, ..Self::default() }
    }

    fn requests(&self) -> usize {
        self.seen.lock().expect("no panic").len()
    }

    /// What each request said in a header.
    fn said(&self, name: &str) -> Vec<Option<String>> {
        let seen = self.seen.lock().expect("no panic");
        seen.iter().map(|headers| Some(headers.get(name)?.to_str().expect("ASCII").to_owned())).collect()
    }

    /// Judged and collected, as all the stacks here need it.
    fn http(&self) -> Http {
        let Self { failures, seen } = self.clone();
        let server = service_fn(move |request: Wire| {
            let mut seen = seen.lock().expect("no panic");
            seen.push(request.headers().clone());
            let fails = seen.len() <= failures;
            let mut answer = Response::new(Full::new(Bytes::from(json!({"data": [{"embedding": [1]}]}).to_string())));
            if fails {
                *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
            async move { Ok::<_, Infallible>(answer) }
        });
        let http = ServiceBuilder::new().layer(ClassifyLayer::new(Providers)).layer(CollectLayer::new(1 << 20));
        http.service(server).boxed_clone()
    }
}

fn typed<S>(http: S) -> Embeddings<S> {
    Embeddings::new(http, Endpoint::openai("http://localhost:1/v1").expect("a base URL"))
}

fn retries() -> RetryLayer<Backoff, trysail::verdict::Inherit, trysail::retry::PerRequest<Idempotent>> {
    RetryLayer::new(Backoff::exponential(Duration::from_millis(100))).replay(Idempotent)
}

fn request() -> EmbedRequest {
    EmbedRequest::new("m", ["a fair wind"])
}

fn post(path: &str) -> Wire {
    Request::post(path).body(Full::new(Bytes::from_static(b"{}"))).expect("a valid request")
}

/// A keyed layer, or none: of the same type.
fn keyed(is_keyed: bool, http: Http) -> Http {
    match is_keyed {
        true => MapRequestLayer::new(Idempotent::keyed::<Full<Bytes>>).layer(http).boxed_clone(),
        false => http,
    }
}

/// All ways to put retries and typed calls on top of each other, with `Idempotent::keyed` at the foot or not at all.
fn stacks(server: &Server, is_keyed: bool) -> Vec<(&'static str, Typed)> {
    let http = || keyed(is_keyed, server.http());
    vec![
        ("above", retries().layer(typed(http())).boxed_clone()),
        ("below", typed(retries().layer(http())).boxed_clone()),
        ("preset above", Preset::interactive().layer(typed(http())).boxed_clone()),
        ("preset below", typed(Preset::bulk().layer(http())).boxed_clone()),
        ("above and below", retries().layer(typed(retries().layer(http()))).boxed_clone()),
        ("preset above and below", Preset::interactive().layer(typed(Preset::bulk().layer(http()))).boxed_clone()),
        ("twice above", retries().layer(retries().layer(typed(http()))).boxed_clone()),
        ("twice below", typed(retries().layer(retries().layer(http()))).boxed_clone()),
        (
            "twice everywhere",
            retries().layer(retries().layer(typed(retries().layer(retries().layer(http()))))).boxed_clone(),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn wherever_the_retries_are_one_failure_costs_one_more_request() {
    for at in 0..stacks(&Server::default(), false).len() {
        let server = Server::failing(1);
        let (name, stack) = stacks(&server, false).swap_remove(at);
        stack.oneshot(request()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(server.said("x-retry-count"), [Some("0".into()), Some("1".into())], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn wherever_the_retries_are_a_call_that_fails_for_good_asks_four_times() {
    for at in 0..stacks(&Server::default(), false).len() {
        let server = Server::failing(usize::MAX);
        let (name, stack) = stacks(&server, false).swap_remove(at);
        if name == "preset below" {
            // Bulk asks 21 times, and this is not about it.
            continue;
        }
        let (outcome, report) = report(stack.oneshot(request())).await;
        assert_eq!(outcome.expect_err("it fails").status(), Some(StatusCode::SERVICE_UNAVAILABLE), "{name}");
        assert_eq!((server.requests(), report.attempts(), report.stop()), (4, 4, Some(Stop::Attempts)), "{name}");
        assert_eq!(server.said("x-retry-count").last(), Some(&Some("3".into())), "{name}");
    }
}

#[tokio::test]
async fn a_typed_call_that_nobody_repeats_carries_no_mark() {
    let server = Server::default();
    typed(server.http()).oneshot(request()).await.expect("it answers");
    assert_eq!(server.said("x-retry-count"), [None]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_cannot_repeat_does_not_silence_another() {
    let none = || RetryLayer::new([]).replay(Idempotent);
    for at in 0..3 {
        let server = Server::failing(1);
        let http = || retries().layer(server.http());
        let stacks: [Typed; 3] = [
            none().layer(typed(http())).boxed_clone(),
            typed(none().layer(http())).boxed_clone(),
            Preset::interactive().retries(0).layer(typed(Preset::interactive().layer(server.http()))).boxed_clone(),
        ];
        stacks[at].clone().oneshot(request()).await.expect("the inner retry asks again");
        assert_eq!(server.requests(), 2);
    }

    // What the outer one may not repeat is the inner one's, once it has a key.
    let server = Server::failing(1);
    let inner = MapRequestLayer::new(Idempotent::keyed::<Full<Bytes>>).layer(retries().layer(server.http()));
    retries().layer(inner).oneshot(post("/v1/chat/completions")).await.expect("the inner retry asks again");
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn all_batches_and_halves_of_batches_are_repeated() {
    for at in 0..stacks(&Server::default(), false).len() {
        let server = Server::failing(1);
        let (name, stack) = stacks(&server, false).swap_remove(at);
        let all = Batches::of("m", ["a", "b", "c"]).count(1).concurrency(1).embed(stack).await;
        assert_eq!(all.unwrap_or_else(|error| panic!("{name}: {error}")).len(), 3);
        assert_eq!(server.requests(), 4, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_key_is_on_all_attempts_of_a_call_wherever_the_retries_are() {
    for at in 0..stacks(&Server::default(), false).len() {
        for (is_keyed, opted) in [(true, request()), (false, request().keyed())] {
            let server = Server::failing(3);
            let (name, stack) = stacks(&server, is_keyed).swap_remove(at);
            stack.oneshot(opted).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut keys = server.said("idempotency-key");
            assert_eq!(keys.len(), 4);
            keys.dedup();
            assert_eq!(keys.len(), 1, "{name}: {keys:?}");
            assert!(keys.iter().all(|key| key.as_ref().is_some_and(|key| key.len() == 32)), "{name}: {keys:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_retry_sends_one_key_too() {
    let server = Server::failing(3);
    let retry = RetryLayer::new(Backoff::exponential(Duration::from_millis(100)));
    retry.layer(typed(keyed(true, server.http()))).oneshot(request()).await.expect("the fourth answer");
    let mut keys = server.said("idempotency-key");
    keys.dedup();
    assert!(keys.len() == 1 && keys[0].is_some(), "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn the_callers_key_wins_and_without_a_word_there_is_none() -> Result<(), BoxError> {
    for at in 0..stacks(&Server::default(), false).len() {
        for is_keyed in [true, false] {
            let server = Server::failing(1);
            let stack = stacks(&server, is_keyed).swap_remove(at).1;
            stack.oneshot(request().keyed().header("Idempotency-Key", "order-17")?).await?;
            assert_eq!(server.said("idempotency-key"), [Some("order-17".into()), Some("order-17".into())]);
        }
        let server = Server::failing(1);
        stacks(&server, false).swap_remove(at).1.oneshot(request()).await?;
        assert_eq!(server.said("idempotency-key"), [None, None]);
    }
    Ok(())
}

#[tokio::test]
async fn two_calls_have_two_keys() -> Result<(), BoxError> {
    let server = Server::default();
    for call in [request().keyed(), request().keyed()] {
        typed(server.http()).oneshot(call).await?;
    }
    let keys = server.said("idempotency-key");
    assert!(keys[0].is_some() && keys[0] != keys[1], "{keys:?}");
    Ok(())
}

/// A proxy as one writes it with axum: what comes in goes through a stack, and what comes out goes back.
async fn proxy(takes_marks_off: bool) -> Result<(String, Arc<AtomicUsize>), BoxError> {
    let wire = Arc::new(AtomicUsize::new(0));
    let upstream = {
        let wire = Arc::clone(&wire);
        let failing = move || {
            wire.fetch_add(1, Relaxed);
            async { StatusCode::SERVICE_UNAVAILABLE }
        };
        axum::Router::new().route("/v1/embeddings", axum::routing::post(failing))
    };
    let retry = retries().layer(
        ServiceBuilder::new().layer(ClassifyLayer::new(Providers)).layer(CollectLayer::new(1 << 20)).service(upstream),
    );
    let handler = move |request: axum::extract::Request| {
        let retry = retry.clone();
        async move {
            let (head, _) = request.into_parts();
            let request = Request::from_parts(head, Full::<Bytes>::default());
            let request = if takes_marks_off { Idempotent::unmarked(request) } else { request };
            let (outcome, report) = report(retry.oneshot(request)).await;
            let verdict = outcome.expect_err("the server fails").verdict();
            trysail::transport::respond(verdict, report.attempts() > 1, axum::body::Body::empty())
        }
    };
    let app = axum::Router::new().route("/v1/embeddings", axum::routing::post(handler)).layer(TakeDeadlineLayer::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((url, wire))
}

/// A client for a real socket.
fn wire() -> impl Service<Wire, Response = Response<Bytes>, Error: Classified + std::fmt::Debug> + Clone {
    ServiceBuilder::new()
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1 << 20))
        .service(Client::builder().no_proxy().build())
}

#[tokio::test]
async fn behind_a_proxy_a_call_is_repeated_by_one_side_and_only_by_one() -> Result<(), BoxError> {
    // What the client's library says of its retries, whether the proxy takes marks off, and who repeats then.
    for (header, takes_off, attempts) in [
        (None, false, 4),
        (Some(("x-stainless-retry-count", "0")), false, 4),
        (Some(("x-retry-count", "0")), false, 1),
        (Some(("x-retry-count", "2")), false, 1),
        (Some(("x-retry-count", "0")), true, 4),
        (Some(("x-retry-count", "2")), true, 4),
    ] {
        let (url, upstream) = proxy(takes_off).await?;
        let mut request = post(&format!("{url}/embeddings"));
        if let Some((name, value)) = header {
            request.headers_mut().insert(name, value.parse()?);
        }
        wire().oneshot(request).await.expect_err("the server fails");
        assert_eq!(upstream.load(Relaxed), attempts, "{header:?} {takes_off}");
    }
    // A client of ours, that repeats as well.
    for takes_off in [false, true] {
        let (url, upstream) = proxy(takes_off).await?;
        retries().layer(wire()).oneshot(post(&format!("{url}/embeddings"))).await.expect_err("the server fails");
        assert_eq!(upstream.load(Relaxed), 4, "{takes_off}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn each_attempt_says_what_is_left_of_its_deadline_wherever_the_retries_are() -> Result<(), BoxError> {
    for at in 0..3 {
        let server = Server::failing(2);
        let http = || SendDeadlineLayer::new().layer(server.http());
        let wait = || RetryLayer::new([Duration::from_secs(1); 3]).replay(Idempotent);
        let stacks: [Typed; 3] = [
            wait().layer(typed(http())).boxed_clone(),
            typed(wait().layer(http())).boxed_clone(),
            wait().layer(typed(wait().layer(http()))).boxed_clone(),
        ];
        let deadline = Deadline::within(Duration::from_secs(10));
        stacks[at].clone().oneshot(request().deadline(deadline)).await?;
        let left = server.said("x-deadline-ms");
        assert_eq!(left.into_iter().flatten().collect::<Vec<_>>(), ["10000", "9000", "8000"], "{at}");
    }
    Ok(())
}
