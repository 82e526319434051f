//! What tonic-build would have generated, for one unary call whose messages are plain text, and a server for it.

use std::{
    array,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use axum::{Router, routing::post};
use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use tokio_stream::Iter;
use tonic::{
    Request, Response, Status,
    body::Body,
    client::{self, GrpcService},
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server,
};
use tower::{BoxError, service_fn};
use trysail::{Deadline, TakeDeadlineLayer};

pub(crate) const SOUND: &str = "/harbour.Soundings/Sound";

pub(crate) struct SoundingsClient<T> {
    inner: client::Grpc<T>,
}

impl<T> SoundingsClient<T>
where
    T: GrpcService<Body>,
    T::ResponseBody: http_body::Body<Data = Bytes, Error: Into<BoxError> + Send> + Send + 'static,
{
    pub(crate) fn new(inner: T) -> Self {
        Self { inner: client::Grpc::new(inner) }
    }

    pub(crate) async fn sound(&mut self, request: Request<String>) -> Result<Response<String>, Status> {
        self.inner.ready().await.map_err(|error| Status::unknown(error.into().to_string()))?;
        self.inner.unary(request, PathAndQuery::from_static(SOUND), TextCodec).await
    }
}

/// A server that says "unavailable" now in the head, now in the trailers, and counts how often it is asked.
pub(crate) fn server(asked: Arc<AtomicUsize>) -> Router {
    let sound = async move |request: http::Request<axum::body::Body>| {
        let first = asked.fetch_add(1, Relaxed) == 0;
        let answer = service_fn(move |request: Request<String>| async move {
            match request.get_ref().as_str() {
                "harbour" if first => Err(Status::unavailable("fog")),
                "strait" if first => stream(Err(Status::unavailable("fog"))),
                "harbour" | "strait" => {
                    let deadline = request.extensions().get::<Deadline>();
                    stream(Ok(format!("12 fathoms, deadline known: {}", deadline.is_some())))
                }
                "atlantis" => Err(Status::not_found("no such place")),
                "fog" => pending().await,
                _ => Err(Status::unavailable("no line is long enough")),
            }
        });
        server::Grpc::new(TextCodec).server_streaming(answer, request).await
    };
    Router::new().route(SOUND, post(sound)).layer(TakeDeadlineLayer::grpc())
}

/// An answer whose status is in its trailers.
fn stream(item: Result<String, Status>) -> Result<Response<OneItem>, Status> {
    Ok(Response::new(tokio_stream::iter([item])))
}

type OneItem = Iter<array::IntoIter<Result<String, Status>, 1>>;

#[derive(Clone, Copy, Debug)]
struct TextCodec;

impl Codec for TextCodec {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for TextCodec {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for TextCodec {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        String::from_utf8(bytes.into()).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
