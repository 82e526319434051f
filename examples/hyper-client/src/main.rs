//! hyper-util's client, with a connector and TLS of one's own, under the layers: bodies as streams, and bodies collected.

mod harbour;

use std::{convert::Infallible, pin::pin, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::Frame;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::ClientConfig;
use tower::{BoxError, ServiceBuilder, ServiceExt};
use tower_http::timeout::ResponseBodyTimeoutLayer;
use trysail::{ByStatus, prelude::*, transport::ConnectTimeout};

/// Somebody's client: its connector, its TLS, and a limit on connecting around both.
fn client(tls: ClientConfig) -> Client<ConnectTimeout<HttpsConnector<HttpConnector>>, Upload> {
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http2().build();
    Client::builder(TokioExecutor::new()).build(ConnectTimeout::new(connector))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let (url, tls) = harbour::serve().await?;
    let client = client(tls);

    // Bodies as streams: nothing is read ahead, and what was sent cannot be sent again.
    let streamed = ServiceBuilder::new()
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20))) // until the head is in
        .layer(ClassifyLayer::new(ByStatus::default())) // the head is all that there is to judge
        .layer(ResponseBodyTimeoutLayer::new(Duration::from_millis(300))) // silence in the body
        .service(client.clone())
        .checked::<Request<Upload>>();
    for path in ["/echo", "/silent"] {
        let mut body = pin!(streamed.clone().oneshot(upload(&url, path)?).await?.into_body());
        let mut text = Vec::new();
        let ended = loop {
            match body.frame().await {
                Some(Ok(frame)) => text.extend(frame.into_data().unwrap_or_default()),
                Some(Err(error)) => break error.to_string(),
                None => break "the end".to_owned(),
            }
        };
        println!("{path}, streamed: {:?}, then {ended}", String::from_utf8_lossy(&text));
    }

    // Bodies collected: an answer that breaks off or falls silent is a failed attempt, and repeated.
    let collected = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(20))).replay(Idempotent))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .layer(HttpLayer::new().collect(CollectLayer::new(1 << 20).idle(Duration::from_millis(300))))
        .map_request(|request: HttpRequest| request.map(BodyExt::boxed))
        .service(client)
        .checked::<HttpRequest>();
    for path in ["/weather", "/silent"] {
        let request = Request::get(format!("{url}{path}")).body(Full::default())?;
        match collected.clone().oneshot(request).await {
            Ok(answer) => println!("{path}, collected: {:?}", answer.body()),
            Err(error) => println!("{path}, collected: {error}"),
        }
    }
    Ok(())
}

type Upload = BoxBody<Bytes, Infallible>;

fn upload(url: &str, path: &str) -> Result<Request<Upload>, http::Error> {
    let pieces = ["a fair ", "wind"].map(|piece| Ok(Frame::data(Bytes::from(piece))));
    Request::post(format!("{url}{path}")).body(BodyExt::boxed(StreamBody::new(tokio_stream::iter(pieces))))
}
