//! Bodies of answers that are no success: only their start is kept.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header::CONTENT_LENGTH};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;
use trysail_http::{CollectError, CollectLayer, Expected, MaybeCollected};

const KIB: usize = 1 << 10;
const FRAME: usize = 16 * KIB;
const GIB: u64 = 1 << 30;

#[tokio::test(start_paused = true)]
async fn of_an_error_of_a_gibibyte_64_kib_are_read_and_kept() {
    for status in [301, 400, 401, 429, 500, 503] {
        let (body, frames) = Endless::new(GIB);
        let buffer = body.buffer.clone();
        let answer = collect(CollectLayer::new(64 << 20), response(status, body)).await.unwrap();
        assert_eq!(answer.body().len(), 64 * KIB);
        assert_eq!(frames.load(Relaxed) * FRAME, 64 * KIB);
        // What is kept does not keep the buffers that it was read into.
        assert!(buffer.is_unique());
        // It is no longer so long as its head said.
        assert!(!answer.headers().contains_key(CONTENT_LENGTH));
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_error_is_whole_and_a_long_success_is_not_cut() {
    let answer = collect(CollectLayer::new(64 << 20), response(500, Full::new(Bytes::from("short")))).await.unwrap();
    assert_eq!(answer.body(), "short");
    assert_eq!(answer.headers()[CONTENT_LENGTH], "5");

    let (body, _) = Endless::new(1 << 20);
    let answer = collect(CollectLayer::new(64 << 20), response(200, body)).await.unwrap();
    assert_eq!(answer.body().len(), 1 << 20);
    assert_eq!(answer.headers()[CONTENT_LENGTH], "1048576");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_more_of_an_error_than_is_kept() {
    let started = Instant::now();
    let (body, _) = Endless::new(GIB);
    let body = Endless { falls_silent_after: 4, ..body };
    let answer = collect(CollectLayer::new(64 << 20), response(503, body)).await.unwrap();
    assert_eq!((answer.body().len(), started.elapsed()), (64 * KIB, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn how_much_is_kept_can_be_set_and_is_never_more_than_of_a_success() {
    for (layer, kept) in [
        (CollectLayer::new(64 << 20).error_limit(100), 100),
        (CollectLayer::new(64 << 20).error_limit(0), 0),
        (CollectLayer::new(64 << 20).error_limit(1 << 20), 1 << 20),
        // A server's reason is not lost because it is long.
        (CollectLayer::new(100), 100),
    ] {
        let (body, _) = Endless::new(GIB);
        assert_eq!(collect(layer, response(429, body)).await.unwrap().body().len(), kept);
    }
    let (body, _) = Endless::new(GIB);
    let error = collect(CollectLayer::new(100), response(200, body)).await.unwrap_err();
    assert!(matches!(error, CollectError::TooLarge { limit: 100, .. }));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_falls_silent_or_breaks_off_before_is_an_error_still() {
    let (body, _) = Endless::new(GIB);
    let silent = Endless { falls_silent_after: 1, ..body };
    let error = collect(CollectLayer::new(64 << 20), response(503, silent)).await.unwrap_err();
    assert!(matches!(error, CollectError::Idle(_)), "{error}");
    let (body, _) = Endless::new(GIB);
    let broken = Endless { breaks_after: 1, ..body };
    let error = collect(CollectLayer::new(64 << 20), response(503, broken)).await.unwrap_err();
    assert!(matches!(error, CollectError::Body(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_success_streams_through_and_a_failure_is_collected() {
    let (body, frames) = Endless::new(GIB);
    let answer = stream(response(200, body)).await.unwrap();
    assert!(answer.body().collected().is_none());
    assert_eq!(frames.load(Relaxed), 0);
    assert_eq!(answer.headers()[CONTENT_LENGTH], "1073741824");
    assert_eq!(answer.extensions().get(), Some(&Expected::vectors(1)));
    let mut body = answer.into_body();
    assert_eq!(body.size_hint().exact(), Some(GIB));
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), FRAME);
    assert_eq!(frames.load(Relaxed), 1);

    let (body, frames) = Endless::new(GIB);
    let answer = stream(response(429, body)).await.unwrap();
    assert_eq!(answer.body().collected().unwrap().len(), 64 * KIB);
    assert_eq!(frames.load(Relaxed), 4);
    assert!(!answer.headers().contains_key(CONTENT_LENGTH));
    assert_eq!(answer.extensions().get(), Some(&Expected::vectors(1)));
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes().len(), 64 * KIB);
}

#[tokio::test(start_paused = true)]
async fn what_was_collected_is_a_body_again() {
    let body = || MaybeCollected::<Full<Bytes>>::of(Bytes::from("said"));
    assert_eq!((body().size_hint().exact(), body().is_end_stream()), (Some(4), false));
    assert_eq!(body().collect().await.unwrap().to_bytes(), "said");
    let mut read = body();
    read.frame().await.unwrap().unwrap();
    assert_eq!((read.size_hint().exact(), read.is_end_stream()), (Some(0), true));
    assert!(read.frame().await.is_none());
    let empty = MaybeCollected::<Full<Bytes>>::of(Bytes::new());
    assert!(empty.is_end_stream());
    assert_eq!(empty.collect().await.unwrap().to_bytes(), "");
    assert!(!format!("{:?}", body()).contains("said"));
}

async fn collect<B: Body>(
    layer: CollectLayer,
    response: Response<B>,
) -> Result<Response<Bytes>, CollectError<Infallible, B::Error>> {
    layer.layer(Once(Some(response))).call(Request::new(())).await
}

async fn stream<B: Body>(
    response: Response<B>,
) -> Result<Response<MaybeCollected<B>>, CollectError<Infallible, B::Error>> {
    let mut request = Request::new(());
    request.extensions_mut().insert(Expected::vectors(1));
    CollectLayer::errors(64 * KIB).layer(Once(Some(response))).call(request).await
}

fn response<B: Body>(status: u16, body: B) -> Response<B> {
    let length = body.size_hint().exact().unwrap();
    Response::builder().status(status).header(CONTENT_LENGTH, length).body(body).unwrap()
}

/// Answers once.
struct Once<B>(Option<Response<B>>);

impl<B> Service<Request<()>> for Once<B> {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        std::future::ready(Ok(self.0.take().unwrap()))
    }
}

/// As long as it says, in frames of one buffer.
struct Endless {
    left: u64,
    buffer: Bytes,
    frames: Arc<AtomicUsize>,
    falls_silent_after: usize,
    breaks_after: usize,
}

impl Endless {
    fn new(length: u64) -> (Self, Arc<AtomicUsize>) {
        let frames = Arc::<AtomicUsize>::default();
        let buffer = Bytes::from(vec![b'x'; FRAME]);
        let body = Self {
            left: length,
            buffer,
            frames: Arc::clone(&frames),
            falls_silent_after: usize::MAX,
            breaks_after: usize::MAX,
        };
        (body, frames)
    }
}

impl Body for Endless {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frames = self.frames.load(Relaxed);
        if frames == self.falls_silent_after {
            return Poll::Pending;
        }
        if frames == self.breaks_after {
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= FRAME as u64;
        self.frames.store(frames + 1, Relaxed);
        Poll::Ready(Some(Ok(Frame::data(self.buffer.clone()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
