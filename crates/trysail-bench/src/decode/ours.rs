use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, service_fn};
use trysail::{
    ClassifyLayer, EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint, Failure, Providers,
    transport::CollectError,
};

use crate::decode::{Decode, VECTORS};

/// `Embeddings` over a service that answers at once.
pub(crate) fn plain(body: Bytes) -> Decode {
    let answer = move |_: Request<Full<Bytes>>| -> Ready<Result<_, Failure<_, Infallible>>> {
        ready(Ok(Response::new(body.clone())))
    };
    decode(Embeddings::new(service_fn(answer), endpoint()))
}

/// The same, with a judge between them.
pub(crate) fn judged(body: Bytes) -> Decode {
    let answer = move |_: Request<Full<Bytes>>| -> Ready<Result<_, CollectError<Infallible, Infallible>>> {
        ready(Ok(Response::new(body.clone())))
    };
    decode(Embeddings::new(ClassifyLayer::new(Providers).layer(service_fn(answer)), endpoint()))
}

fn decode(mut service: impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError> + 'static) -> Decode {
    let request = EmbedRequest::new("m", (0..VECTORS).map(|text| text.to_string()));
    Box::new(move || {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        let call = pin!(service.call(black_box(request.clone())));
        let Poll::Ready(Ok(answer)) = call.poll(&mut cx) else { panic!("the answer is a good one, and there at once") };
        black_box(&answer).vectors().map(|vector| f64::from(vector[0])).sum()
    })
}

fn endpoint() -> Endpoint {
    Endpoint::openai("http://localhost/v1").expect("it is a base URL")
}
