//! The layers around an axum `Router`: what they refuse or give up is an answer, too.

use std::{error::Error, future::pending, io, time::Duration};

use axum::{
    BoxError, Router,
    error_handling::HandleErrorLayer,
    http::{Request, Response},
    routing::get,
};
use bytes::Bytes;
use http_body_util::Full;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::{ServiceBuilderExt, request_id::MakeRequestUuid, trace::TraceLayer};
use trysail::{ByStatus, OrDeadline, TakeDeadlineLayer, prelude::*, transport::respond_to};

fn app() -> Router {
    Router::new()
        .route("/calm", get(async || "a fair wind"))
        .route("/fog", get(pending::<&str>))
        .route("/wreck", get(async || answer(io::Error::from(io::ErrorKind::ConnectionRefused).into()).await))
        .layer(
            ServiceBuilder::new()
                .set_x_request_id(MakeRequestUuid)
                .layer(TraceLayer::new_for_http())
                .propagate_x_request_id()
                .layer(HandleErrorLayer::new(answer))
                .layer(TakeDeadlineLayer::new()) // what the caller says it can wait for
                .layer(BreakerLayer::new(Circuit::new(Trip::consecutive(3))).classify_with(ByStatus::default().boxed()))
                .layer(TimeoutLayer::new(OrDeadline(Duration::from_secs(10))))
                // A `Router` cannot fail; from here on it may.
                .map_err(BoxError::from),
        )
}

/// 504 for a time limit, 503 with `Retry-After` for an open circuit, 502 for a server behind this one.
async fn answer(error: BoxError) -> Response<String> {
    respond_to(&*error, false, error.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, app()).await });

    for (path, deadline_ms) in
        [("/calm", "10000"), ("/fog", "50"), ("/wreck", ""), ("/wreck", ""), ("/wreck", ""), ("/wreck", "")]
    {
        let answer = ask(&format!("{url}{path}"), deadline_ms).await?;
        let named = |name| answer.headers().contains_key(name).then_some(name);
        let headers = ["x-request-id", "retry-after"].into_iter().filter_map(named).collect::<Vec<_>>();
        println!("{path}: {}, with {}", answer.status(), headers.join(" and "));
    }
    Ok(())
}

async fn ask(url: &str, deadline_ms: &str) -> Result<Response<Bytes>, Box<dyn Error>> {
    let request = Request::get(url).header("x-deadline-ms", deadline_ms).body(Full::<Bytes>::default())?;
    Ok(CollectLayer::new(1 << 20).layer(Client::builder().no_proxy().build()).oneshot(request).await?)
}
