//! A verdict survives every box, and the cause is still shown.

use std::{
    convert::Infallible,
    error::Error,
    fmt, io,
    iter::successors,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Backoff, Class, Classified, ClassifyLayer, CollectLayer, Elapsed, EmbedError, EmbedRequest, Embeddings, Endpoint,
    Failure, Held, Open, Providers, RetryLayer, Verdict,
    embeddings::BatchError,
    transport::CollectError,
    verdict::{Cause, Health, Hold, Judged, Remedy, Retryable, Scope, Unanswered},
};

const SECOND: Duration = Duration::from_secs(1);
type Typed = Failure<Response<Bytes>, io::Error>;

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(SECOND / 10))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error| (*error).source())
}

#[tokio::test(start_paused = true)]
async fn an_error_judged_permanent_is_tried_once_by_a_retry_above_a_buffer() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let service = service_fn(move |(): ()| {
        counted.fetch_add(1, Relaxed);
        async { Err::<(), _>(refused()) }
    });
    let judge = |_: Result<&(), &io::Error>| Verdict::PERMANENT;
    let stack = ServiceBuilder::new().layer(retry()).buffer(8).layer(ClassifyLayer::new(judge)).service(service);
    let error = stack.oneshot(()).await.expect_err("it fails");
    // A verdict lost in the box was taken for a transient one, and this was four.
    assert_eq!((error.verdict(), calls.load(Relaxed)), (Verdict::PERMANENT, 1));
    let cause = chain(&*error).find_map(|error| error.downcast_ref::<io::Error>());
    assert_eq!(cause.map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused));
}

/// Fails while it becomes ready, which ends a buffer for good.
#[derive(Clone)]
struct Unready;

impl Service<()> for Unready {
    type Response = ();
    type Error = io::Error;
    type Future = std::future::Ready<Result<(), io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Err(refused()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        unreachable!("never ready")
    }
}

#[tokio::test(start_paused = true)]
async fn what_ended_a_buffer_says_why_and_is_neither_repeated_nor_held_against_the_server() {
    let judge = |_: Result<&(), &io::Error>| Verdict::AUTH;
    let judged = ServiceBuilder::new().buffer::<()>(8).layer(ClassifyLayer::new(judge)).service(Unready);
    let error = judged.oneshot(()).await.expect_err("it is never ready");
    assert!(error.is::<tower::buffer::error::ServiceError>(), "{error:?}");
    let verdict = error.verdict();
    assert_eq!((verdict.class(), verdict.retry(), verdict.health()), (Class::Auth, Retryable::No, Health::Neutral));

    let unjudged = ServiceBuilder::new().buffer::<()>(8).service(Unready);
    let error = unjudged.oneshot(()).await.expect_err("it is never ready");
    assert_eq!(error.verdict(), Verdict::REFUSED);
}

/// Delegates to what it holds, as many wrappers do, and lends its source only.
#[derive(Debug)]
struct Transparent<E>(E);

impl<E: fmt::Display> fmt::Display for Transparent<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: Error + 'static> Error for Transparent<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// `make`'s error says `verdict` however it is boxed, and has `cause` in its chain if it has one.
fn survives<E>(make: impl Fn() -> E, verdict: Verdict, cause: Option<&str>)
where
    E: Error + Classified + Send + Sync + 'static,
{
    assert_eq!(make().verdict(), verdict);
    let boxes: [(&str, BoxError); 9] = [
        ("a box", make().into()),
        ("a box in a box", Box::new(Box::new(make()))),
        ("an arc in a box", Box::new(Arc::new(make()))),
        ("an io::Error", Box::new(io::Error::other(make()))),
        ("an io::Error in an io::Error", Box::new(io::Error::other(io::Error::other(make())))),
        ("a box in an io::Error", Box::new(io::Error::other(BoxError::from(make())))),
        ("a transparent wrapper", Box::new(Transparent(make()))),
        ("the inputs of a batch", Box::new(CollectError::<_, Infallible>::Client(make()))),
        ("a failure judged otherwise below", Failure::<(), _>::unanswered(verdict, make()).into()),
    ];
    for (how, boxed) in boxes {
        let found = boxed.verdict();
        // Only the hint of an open circuit is not at hand where the circuit's own error is hidden.
        assert_eq!(
            (found.class(), found.retry(), found.health()),
            (verdict.class(), verdict.retry(), verdict.health()),
            "{how}"
        );
        if let Some(cause) = cause {
            assert!(chain(&*boxed).any(|error| error.to_string().contains(cause)), "{how}: {boxed:?}");
            assert!(chain(&*boxed).any(|error| error.is::<Judged>()), "{how}");
        }
    }
}

#[test]
fn every_error_of_ours_says_its_verdict_however_often_it_is_boxed_and_shows_its_cause() {
    let open = Open::new(SECOND, Cause::Streak, None);
    let elapsed = Elapsed::new(Scope::Request, SECOND);
    let cause = refused().to_string();
    for verdict in [Verdict::PERMANENT, Verdict::AUTH, Verdict::TRANSIENT.unsent(), Verdict::THROTTLED.after(SECOND)] {
        survives(|| Typed::unanswered(verdict, refused()), verdict, Some(&cause));
        survives(|| Failure::<(), BoxError>::unanswered(verdict, refused().into()), verdict, Some(&cause));
        survives(|| Typed::Response { verdict, status: Some(503), response: Response::default() }, verdict, None);
    }
    survives(|| open, open.verdict(), None);
    let held = Held::new(Hold::Rate, SECOND);
    survives(|| held, held.verdict(), None);
    survives(|| Held::latched(Verdict::AUTH, SECOND), Verdict::AUTH.neutral().after(SECOND), None);
    survives(|| Typed::from(held), held.verdict(), None);
    survives(|| EmbedError::from(held), held.verdict(), None);
    survives(|| elapsed, Verdict::REFUSED, None);
    survives(|| elapsed.unsent(), Verdict::REFUSED, None);
    survives(|| Typed::from(open), open.verdict(), None);
    survives(|| Typed::from(elapsed), Verdict::REFUSED, None);
    survives(|| EmbedError::from(open), open.verdict(), None);
    survives(|| EmbedError::from(elapsed), Verdict::REFUSED, None);
}

#[tokio::test]
async fn the_error_of_a_typed_call_says_its_verdict_in_a_box_and_shows_its_cause() -> Result<(), BoxError> {
    let client = service_fn(|_: Request<Full<Bytes>>| async {
        Err::<Response<Bytes>, _>(Typed::unanswered(Verdict::PERMANENT, refused()))
    });
    let error = Embeddings::new(client, Endpoint::openai("http://localhost/v1")?)
        .oneshot(EmbedRequest::new("model", ["text"]))
        .await
        .expect_err("nothing answers");
    let boxed: BoxError = io::Error::other(error).into();
    assert_eq!(boxed.verdict(), Verdict::PERMANENT);
    assert!(chain(&*boxed).any(|error| error.is::<io::Error>()), "{boxed:?}");
    Ok(())
}

#[tokio::test]
async fn the_error_of_a_batch_says_its_verdict_in_a_box() {
    fn verdict<E: Error + Send + Sync + 'static>(error: E) -> Verdict {
        BoxError::from(error).verdict()
    }
    let client = service_fn(|_: Request<Full<Bytes>>| async {
        Err::<Response<Bytes>, _>(Typed::unanswered(Verdict::AUTH, refused()))
    });
    let embeddings = Embeddings::new(client, Endpoint::openai("http://localhost/v1").expect("a URL"));
    let failed = trysail::Batches::of("model", ["text"]).embed(embeddings).await;
    let error: BatchError<EmbedError> = failed.expect_err("nothing answers");
    assert_eq!(verdict(error), Verdict::AUTH);
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_no_reason_to_ask_again_in_a_box_either() {
    let service = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"far too long"))))
    });
    let calls = ServiceBuilder::new().buffer(8).layer(CollectLayer::new(4)).service(service);
    let error = calls.oneshot(Request::new(())).await.expect_err("twelve bytes are more than four");
    assert_eq!(error.verdict(), Verdict::PERMANENT.neutral().advise(Remedy::Split));
}

#[test]
fn the_error_itself_is_at_hand_as_the_type_it_was() {
    let Failure::Service(unanswered) = Typed::unanswered(Verdict::PERMANENT, refused()) else { unreachable!() };
    assert_eq!(unanswered.error().kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(unanswered.into_error().kind(), io::ErrorKind::ConnectionRefused);

    let boxed = Unanswered::<BoxError>::new(Verdict::PERMANENT, refused().into());
    assert!(boxed.cause().is::<io::Error>());
    assert!(boxed.into_cause().is::<io::Error>());
}

#[test]
fn a_judge_of_http_finds_what_was_judged_below() {
    use trysail::Classifier;
    let below = Typed::unanswered(Verdict::AUTH, refused());
    let outcome: Result<&Response<Bytes>, _> = Err(&CollectError::<_, Infallible>::Client(below));
    assert_eq!(Providers.classify(outcome), Verdict::AUTH);
}
