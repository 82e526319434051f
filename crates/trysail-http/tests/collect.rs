//! Bodies that come whole, in pieces, late, broken or too long.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tokio::time::{self, Instant, Sleep};
use tokio_test::{assert_pending, assert_ready, task};
use tower_layer::Layer;
use tower_service::Service;
use trysail_core::{Class, Classified, Health, Remedy, Scope, Verdict};
use trysail_http::{CollectError, CollectLayer};

#[tokio::test(start_paused = true)]
async fn a_body_of_one_frame_is_handed_on_without_a_copy() {
    let bytes = Bytes::from(vec![7; 1_000]);
    let mut response = Response::new(Full::new(bytes.clone()));
    response.headers_mut().insert("x-a", "b".parse().unwrap());
    response.extensions_mut().insert(42_u8);

    let collected = collect(response, 1_000).await.unwrap();
    assert_eq!(collected.body().as_ptr(), bytes.as_ptr());
    assert_eq!(collected.headers()["x-a"], "b");
    assert_eq!(collected.extensions().get(), Some(&42_u8));
}

#[tokio::test(start_paused = true)]
async fn frames_are_gathered_and_trailers_dropped() {
    let body = Script::new([Step::Data("ab"), Step::Data(""), Step::Data("cd"), Step::Data("e"), Step::Trailers]);
    assert_eq!(collect(Response::new(body), 5).await.unwrap().body(), "abcde");
    assert_eq!(collect(Response::new(Script::new([])), 0).await.unwrap().body(), "");
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_refused() {
    let body = Script::new([Step::Data("ab"), Step::Data("cd"), Step::Never]);
    let error = collect(Response::new(body), 3).await.unwrap_err();
    assert!(matches!(error, CollectError::TooLarge { limit: 3, .. }), "{error}");
    // The server is not to blame, and fewer inputs have a shorter answer.
    assert_eq!(error.verdict(), Verdict::PERMANENT.neutral().advise(Remedy::Split));
    assert_eq!(Verdict::find(&error), Some(error.verdict()));
}

#[tokio::test(start_paused = true)]
async fn an_announced_length_is_refused_before_the_body_is_read() {
    let body = Script { announced: 4, ..Script::new([Step::Never]) };
    let error = collect(Response::new(body), 3).await.unwrap_err();
    assert!(matches!(error, CollectError::TooLarge { limit: 3, .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_lying_length_reserves_little() {
    let body = Script { announced: u64::MAX >> 1, ..Script::new([Step::Data("ab"), Step::Data("cd")]) };
    assert_eq!(collect(Response::new(body), usize::MAX).await.unwrap().body(), "abcd");
}

#[tokio::test(start_paused = true)]
async fn a_body_cut_short_is_transient() {
    let body = Script::new([Step::Data("{"), Step::Broken(io::ErrorKind::UnexpectedEof)]);
    let error = collect(Response::new(body), 100).await.unwrap_err();
    assert!(matches!(error, CollectError::Body(_)), "{error}");
    assert_eq!(error.verdict(), Verdict::TRANSIENT);
}

#[tokio::test(start_paused = true)]
async fn silence_is_measured_from_the_last_frame() {
    let gaps = [1, 12, 19].map(|s| Step::Late(Duration::from_secs(s), "x"));
    let started = Instant::now();
    assert_eq!(collect(Response::new(Script::new(gaps)), 100).await.unwrap().body(), "xxx");
    assert_eq!(started.elapsed(), Duration::from_secs(32));

    let gaps = [1, 12, 21].map(|s| Step::Late(Duration::from_secs(s), "x"));
    let started = Instant::now();
    let error = collect(Response::new(Script::new(gaps)), 100).await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::from_secs(33));
    let CollectError::Idle(elapsed) = error else { panic!("{error}") };
    assert_eq!((elapsed.scope(), elapsed.limit()), (Scope::Idle, Duration::from_secs(20)));
    assert_eq!(error.verdict().class(), Class::Transient);
    assert_eq!(error.verdict().health(), Health::Failure);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_has_not_begun_is_not_silent() {
    for first in [Step::Data(""), Step::Late(DAY, "")] {
        let body = Script::new([first, Step::Late(DAY, "x"), Step::Late(Duration::from_secs(1), "y")]);
        assert_eq!(collect(Response::new(body), 100).await.unwrap().body(), "xy");
    }
    let started = Instant::now();
    let body = Script::new([Step::Late(DAY, "x"), Step::Never]);
    assert!(matches!(collect(Response::new(body), 100).await, Err(CollectError::Idle(_))));
    assert_eq!(started.elapsed(), DAY + Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_ready_at_the_limit_wins() {
    let body = Script::new(["x", "y", "z"].map(|data| Step::Late(Duration::from_secs(20), data)));
    assert_eq!(collect(Response::new(body), 100).await.unwrap().body(), "xyz");
}

#[tokio::test(start_paused = true)]
async fn the_head_may_take_its_time() {
    let (mut service, mut handle) = tower_test::mock::spawn_with(|mock| CollectLayer::new(10).layer(mock));
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let mut call = task::spawn(service.call(Request::new(())));
    let (_, send) = handle.next_request().await.unwrap();
    time::advance(Duration::from_secs(3_600)).await;
    assert_pending!(call.poll());
    send.send_response(Response::new(Full::new(Bytes::from_static(b"ok"))));
    assert_eq!(assert_ready!(call.poll()).unwrap().body(), "ok");
}

#[tokio::test(start_paused = true)]
async fn no_limit_on_silence_is_too_long() {
    let mut service = CollectLayer::new(10)
        .idle(Duration::MAX)
        .layer(Whole(Some(Response::new(Script::new([Step::Data("x"), Step::Late(DAY, "y")])))));
    assert_eq!(service.call(Request::new(())).await.unwrap().body(), "xy");
}

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn collect<B>(response: Response<B>, limit: usize) -> Result<Response<Bytes>, CollectError<Infallible, B::Error>>
where
    B: Body,
{
    CollectLayer::new(limit).layer(Whole(Some(response))).call(Request::new(())).await
}

/// Answers once.
struct Whole<B>(Option<Response<B>>);

impl<B> Service<Request<()>> for Whole<B> {
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

enum Step {
    Data(&'static str),
    Late(Duration, &'static str),
    Trailers,
    Broken(io::ErrorKind),
    Never,
}

/// A body that follows a script.
struct Script {
    steps: VecDeque<Step>,
    waiting: Option<Pin<Box<Sleep>>>,
    announced: u64,
}

impl Script {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), waiting: None, announced: 0 }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        if let Some(Step::Late(gap, _)) = this.steps.front() {
            let waiting = this.waiting.get_or_insert_with(|| Box::pin(time::sleep(*gap)));
            std::task::ready!(waiting.as_mut().poll(cx));
            this.waiting = None;
        }
        if let Some(Step::Never) = this.steps.front() {
            return Poll::Pending;
        }
        Poll::Ready(this.steps.pop_front().map(|step| match step {
            Step::Data(data) | Step::Late(_, data) => Ok(Frame::data(Bytes::from_static(data.as_bytes()))),
            Step::Trailers => Ok(Frame::trailers(HeaderMap::new())),
            Step::Broken(kind) => Err(kind.into()),
            Step::Never => unreachable!(),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}
