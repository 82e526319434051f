//! The stack of the README around three kinds of services; that it compiles is half of the test.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Backoff, Breaker, BreakerLayer, Circuit, Class, Classified, Classify, ClassifyLayer, Client, Collect, CollectLayer,
    EmbedRequest, Embeddings, Endpoint, Failure, Idempotent, Preset, Providers, Retry, RetryLayer, Stack, Timeout,
    TimeoutLayer, Trip, report,
};
use trysail_testkit::{EmbeddingServer, Model, Plan};

/// Its type can be written down.
type Policies<S> = Timeout<Retry<Breaker<Timeout<Classify<Collect<S>, Providers>>>, Backoff>>;

fn policies<S>(client: S) -> Policies<S> {
    ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(100))).within(Duration::from_secs(60)))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(64 << 20))
        .service(client)
}

fn request(body: &'static str) -> Request<Full<Bytes>> {
    let request = Request::post("http://localhost/v1/embeddings").header("content-type", "application/json");
    request.body(Bytes::from_static(body.as_bytes()).into()).expect("a valid request")
}

fn answer(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response
}

#[tokio::test(start_paused = true)]
async fn around_a_function() {
    let answers = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS, StatusCode::OK];
    let answers = std::sync::Mutex::new(answers.into_iter());
    let answers = std::sync::Arc::new(answers);
    let service = service_fn(move |_: Request<Full<Bytes>>| {
        let status = answers.lock().expect("no panic").next().expect("three calls");
        async move { Ok::<_, Infallible>(answer(status, "{}")) }
    });
    let (answer, report) = report(policies(service).oneshot(request("{}"))).await;
    assert_eq!(answer.expect("the third answer").body(), "{}");
    assert_eq!(report.attempts(), 3);
    assert_eq!((report.failures(Class::Transient), report.failures(Class::Throttled)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn around_a_router() {
    let router = axum::Router::new().route(
        "/v1/embeddings",
        axum::routing::post(|| async { (StatusCode::UNAUTHORIZED, r#"{"error":{"code":"invalid_api_key"}}"#) }),
    );
    let failure = policies(router).oneshot(request("{}")).await.expect_err("no key");
    let Failure::Response { response, verdict, .. } = failure else { panic!("{failure:?}") };
    assert_eq!((verdict.class(), response.status()), (Class::Auth, StatusCode::UNAUTHORIZED));
}

/// Four calls to a server of which two attempts in five fail.
async fn four_calls<S>(client: S) -> Result<(), BoxError>
where
    Policies<S>: Service<Request<Full<Bytes>>, Response = Response<Bytes>, Error: Into<BoxError>>,
{
    let server = EmbeddingServer::new().faults("503:40".parse::<Plan>()?.seeded(2)).bind().await?;
    let mut service = policies(client);
    let uri = format!("{}/embeddings", server.url());
    for _ in 0..4 {
        let mut request = request(r#"{"model":"potion-base-2M","input":"fair wind"}"#);
        *request.uri_mut() = uri.parse()?;
        let answer = service.ready().await.map_err(Into::into)?.call(request).await.map_err(Into::into)?;
        assert!(answer.body().starts_with(b"{"));
    }
    assert!(server.stats().requests > 4);
    Ok(())
}

#[tokio::test]
async fn around_the_ready_made_client() -> Result<(), BoxError> {
    four_calls(Client::new()).await
}

#[tokio::test]
async fn around_a_client_of_hyper_util() -> Result<(), BoxError> {
    let executor = hyper_util::rt::TokioExecutor::new();
    four_calls(hyper_util::client::legacy::Client::builder(executor).build_http()).await
}

#[tokio::test]
async fn typed_calls_through_the_preset() -> Result<(), BoxError> {
    let faults = "503:10,reset:10,truncated:10,wrong-count:10,duplicate:10,shuffled:20".parse()?;
    let server = EmbeddingServer::new().faults(faults).bind().await?;
    let http = ServiceBuilder::new()
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(64 << 20))
        .service(Client::new());
    let preset = Preset::bulk();
    let mut embed: Stack<_> = preset.layer(Embeddings::new(http, Endpoint::openai(&server.url())?));
    let texts = ["a fair wind", "a storm at sea", "the smallest sail"];
    for _ in 0..10 {
        let answer = embed.ready().await?.call(EmbedRequest::new("potion-base-2M", texts)).await?;
        for (text, vector) in texts.iter().zip(answer.vectors()) {
            assert_eq!(vector, Model::potion().embed(text));
        }
    }
    assert_eq!(preset.circuit().snapshot().opened(), 0);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_idempotent_is_sent_once() {
    let service = service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(answer(StatusCode::SERVICE_UNAVAILABLE, ""))
    });
    let stack = ServiceBuilder::new()
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(100))).replay(Idempotent))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(64 << 20))
        .service(service);
    for (path, attempts) in [("/v1/chat/completions", 1), ("/v1/embeddings", 4)] {
        let request = Request::post(path).body(Full::new(Bytes::from_static(b"{}"))).expect("valid");
        let (answer, report) = report(stack.clone().oneshot(request)).await;
        assert_eq!(answer.expect_err("503").verdict().class(), Class::Transient);
        assert_eq!(report.attempts(), attempts, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn stacks_in_a_row_do_not_multiply_attempts() {
    let wire = Arc::new(AtomicUsize::new(0));
    let backend = {
        let wire = Arc::clone(&wire);
        service_fn(move |_: Request<Full<Bytes>>| {
            wire.fetch_add(1, Relaxed);
            async { Ok::<_, Infallible>(answer(StatusCode::SERVICE_UNAVAILABLE, "")) }
        })
    };
    // A server that calls the backend through a stack of its own, and says so when it has given up.
    let middle = policies(backend);
    let middle = service_fn(move |_: Request<Full<Bytes>>| {
        let middle = middle.clone();
        async move {
            let (outcome, report) = report(middle.oneshot(request("{}"))).await;
            let verdict = outcome.expect_err("the backend fails").verdict();
            Ok::<_, Infallible>(trysail::transport::respond(verdict, report.attempts() > 1, Full::new(Bytes::new())))
        }
    });
    let (outcome, report) = report(policies(middle).oneshot(request("{}"))).await;
    assert_eq!(outcome.expect_err("it fails for good").verdict().class(), Class::Transient);
    assert_eq!((report.attempts(), wire.load(Relaxed)), (1, 4));
}
