//! What the manual shows for proxies: the answer as it came.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Backoff, BreakerLayer, Circuit, ClassifyLayer, CollectLayer, Failure, Idempotent, Providers, RetryLayer,
    TimeoutLayer, Trip,
};

type Wire = Request<Full<Bytes>>;

fn unavailable() -> impl Service<Wire, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send> + Clone {
    service_fn(|_: Wire| async {
        let mut answer = Response::new(Full::new(Bytes::from_static(b"later")));
        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        Ok(answer)
    })
}

fn request() -> Wire {
    Request::get("http://localhost/").body(Full::default()).expect("a valid request")
}

#[tokio::test(start_paused = true)]
async fn a_failure_gives_the_answer_back() -> Result<(), BoxError> {
    let (client, request) = (unavailable(), request());
    // sample docs/stacking.md
    let proxy = ServiceBuilder::new()
        .map_result(Failure::or_response)
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(100))).replay(Idempotent))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(64 << 20))
        .service(client);

    let answer = proxy.oneshot(request).await?;
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (503, &b"later"[..]));
    // end
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn without_a_classify_layer_answers_pass_untouched() -> Result<(), BoxError> {
    let (client, request) = (unavailable(), request());
    // sample docs/stacking.md
    let retry = RetryLayer::new(Backoff::exponential(Duration::from_millis(100))).replay(Idempotent);
    let proxy = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(retry.classify_with(Providers))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())).classify_with(Providers))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .map_err(BoxError::from)
        .layer(CollectLayer::new(64 << 20))
        .service(client);

    assert_eq!(proxy.oneshot(request).await?.status().as_u16(), 503);
    // end
    Ok(())
}
