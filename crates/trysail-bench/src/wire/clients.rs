use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use recloser::{AsyncRecloser, Recloser};
use tower::{BoxError, Layer, Service, ServiceBuilder, retry, service_fn, timeout};
use trysail::{ClassifyLayer, CollectLayer, Preset, Providers};

use crate::{
    peers::Reclosed,
    wire::{
        Protocol, Question, over_reqwest,
        peers::Thrice,
        round::{Turn, turn},
    },
};

/// All clients, the bare one first.
pub(crate) const ALL: [(&str, MakeTurn); 7] = [
    ("bare hyper-util client", bare),
    ("the same, once more", bare),
    ("trysail around it", trysail),
    ("tower and recloser around it", peers),
    ("reqwest", over_reqwest::plain),
    ("reqwest, its retry", over_reqwest::with_retry),
    ("async-openai's retry over reqwest", over_reqwest::async_openai),
];

/// Makes a client that asks one question, on connections of its own.
pub(crate) type MakeTurn = fn(Protocol, Question) -> Result<Turn, String>;

type Client = legacy::Client<HttpConnector, Full<Bytes>>;

pub(crate) fn bare(protocol: Protocol, question: Question) -> Result<Turn, String> {
    ask(collected(client(protocol)), question)
}

pub(crate) fn trysail(protocol: Protocol, question: Question) -> Result<Turn, String> {
    let http = ServiceBuilder::new().layer(ClassifyLayer::new(Providers)).layer(CollectLayer::new(LIMIT));
    ask(Preset::interactive().layer(http.service(client(protocol))), question)
}

pub(crate) fn peers(protocol: Protocol, question: Question) -> Result<Turn, String> {
    let service = ServiceBuilder::new()
        .layer(timeout::TimeoutLayer::new(OVERALL))
        .layer(retry::RetryLayer::new(Thrice::default()))
        .map_err(|error| match error {
            recloser::Error::Inner(error) => error,
            recloser::Error::Rejected => BoxError::from("the recloser is open"),
        })
        .layer_fn(|inner| Reclosed::new(inner, AsyncRecloser::from(Recloser::default())))
        .layer(timeout::TimeoutLayer::new(ATTEMPT))
        .service(collected(client(protocol)));
    ask(service, question)
}

/// Asks through a service of requests as hyper has them.
fn ask<S>(service: S, question: Question) -> Result<Turn, String>
where
    S: Service<Request<Full<Bytes>>, Response = Response<Bytes>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
{
    let uri: http::Uri = question.url.parse().map_err(|error| format!("{}: {error}", question.url))?;
    let body = question.body;
    let make = move || {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = uri.clone();
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        request
    };
    Ok(turn(service, make, question.answer))
}

/// The client alone, with what every caller does: read the body to its end.
fn collected(
    client: Client,
) -> impl Service<Request<Full<Bytes>>, Response = Response<Bytes>, Error = BoxError, Future: Send> + Clone + Send + 'static
{
    service_fn(move |request| {
        let sent = client.request(request);
        async move {
            let (parts, body) = sent.await?.into_parts();
            Ok(Response::from_parts(parts, Incoming::collect(body).await?.to_bytes()))
        }
    })
}

/// As `trysail::Client` sets it up, but for TLS, proxies and the connect limit.
fn client(protocol: Protocol) -> Client {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .retry_canceled_requests(false)
        .http2_only(protocol == Protocol::Http2)
        .build(http)
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const LIMIT: usize = 64 << 20;
const OVERALL: Duration = Duration::from_secs(60);
pub(crate) const ATTEMPT: Duration = Duration::from_secs(20);
