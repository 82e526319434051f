//! A tonic channel under the layers, for any generated client: judged by `grpc-status`, wherever that stands.

mod soundings;

use std::{
    error::Error,
    iter::successors,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Uri};
use http_body_util::{BodyExt, Collected, Full, Limited};
use tokio::net::TcpListener;
use tonic::{
    Code, Status, TimeoutExpired,
    body::Body,
    client::GrpcService,
    transport::{Channel, Endpoint},
};
use tower::{BoxError, ServiceBuilder};
use trysail::{
    Elapsed, OrDeadline, SendDeadlineLayer, TakeDeadlineLayer,
    prelude::*,
    transport::{self, grpc},
    verdict::Scope,
};

use self::soundings::{SOUND, SoundingsClient, server};

type Request<B> = http::Request<B>;
type Response<B> = http::Response<B>;

/// What stands below a generated client: for unary calls, since a stream can be neither repeated nor judged as a whole.
fn stack(channel: Channel) -> impl GrpcService<Body, ResponseBody = Collected<Bytes>> {
    let unary = |method: &Method, uri: &Uri| method == Method::POST && uri.path() == SOUND;
    ServiceBuilder::new()
        .map_err(|error: BoxError| Status::new(Code::from(grpc::code(&*error)), error.to_string()))
        .filter_async(sent_whole)
        .map_result(Failure::or_response) // a failed answer is an answer, for tonic to read
        .layer(TakeDeadlineLayer::grpc()) // the client's own `set_timeout`
        .layer(TimeoutLayer::new(OrDeadline(Duration::from_secs(60)))) // the whole call
        .layer(
            RetryLayer::new(Backoff::exponential(Duration::from_millis(20)))
                .replay(transport::Idempotent.or_route(unary))
                .within(OrDeadline(Duration::from_secs(60))),
        )
        .layer(BreakerLayer::new(Circuit::new(Trip::consecutive(4))))
        .layer(TimeoutLayer::new(Duration::from_secs(20))) // one attempt
        .layer(SendDeadlineLayer::grpc()) // what is left of it now
        .layer(ClassifyLayer::new(judge))
        .map_err(expired)
        .and_then(answered_whole)
        .map_request(|request: Request<Full<Bytes>>| request.map(Body::new))
        .service(channel)
}

fn judge(outcome: Result<&Response<Collected<Bytes>>, &BoxError>) -> Verdict {
    match outcome {
        Ok(answer) => grpc::judge(answer, answer.body().trailers()),
        Err(error) => transport::transport::verdict(&**error),
    }
}

/// A request that can be sent again.
async fn sent_whole(request: Request<Body>) -> Result<Request<Full<Bytes>>, Status> {
    let (head, body) = request.into_parts();
    Ok(Request::from_parts(head, Full::new(body.collect().await?.to_bytes())))
}

/// An answer with its trailers.
async fn answered_whole(answer: Response<Body>) -> Result<Response<Collected<Bytes>>, BoxError> {
    let (head, body) = answer.into_parts();
    Ok(Response::from_parts(head, Limited::new(body, 4 << 20).collect().await?))
}

/// A channel keeps to `grpc-timeout` as well, and may be first by a hair.
fn expired(error: BoxError) -> BoxError {
    let mut chain = successors(Some(&*error as &(dyn Error + 'static)), |link| (*link).source());
    if chain.any(|link| link.is::<TimeoutExpired>()) {
        Elapsed::new(Scope::Request, Duration::ZERO).into()
    } else {
        error
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let asked = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let channel = Endpoint::new(format!("http://{}", listener.local_addr()?))?.connect_lazy();
    let server = server(Arc::clone(&asked));
    tokio::spawn(async { axum::serve(listener, server).await });

    let mut client = SoundingsClient::new(stack(channel));
    for place in ["harbour", "strait", "atlantis", "fog", "abyss", "abyss"] {
        asked.store(0, Relaxed);
        let mut request = tonic::Request::new(place.to_owned());
        request.set_timeout(if place == "fog" { Duration::from_millis(500) } else { Duration::from_secs(10) });
        let outcome = client.sound(request).await;
        let asked = asked.load(Relaxed);
        match outcome {
            Ok(answer) => println!("{place}: {} (asked {asked} times)", answer.get_ref()),
            Err(status) => println!("{place}: {:?} (asked {asked} times)", status.code()),
        }
    }
    Ok(())
}
