//! What tower asks of every layer, asked of each of ours and of the whole stack.

use std::{convert::Infallible, error::Error, fmt::Debug, io, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time;
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use trysail::{
    BreakerLayer, Circuit, ClassifyLayer, CollectLayer, EmbedRequest, Embeddings, Endpoint, FailoverLayer, Failure,
    Pace, Preset, Providers, Rate, RetryLayer, ThrottleLayer, TimeoutLayer, Trip, Verdict,
};
use trysail_testkit::{Pool, Probe};

const SECOND: Duration = Duration::from_secs(1);

/// A layer's service around a probe, and how to use it.
struct Case<'a, S, Req, Res, Err> {
    wrap: &'a dyn Fn(Probe<Res, Err>) -> S,
    request: &'a dyn Fn() -> Req,
    success: &'a dyn Fn() -> Res,
    error: &'a dyn Fn() -> Err,
}

impl<S, Req, Res, Err> Case<'_, S, Req, Res, Err>
where
    S: Service<Req, Error: Debug, Future: Send> + Clone + Send + Sync + 'static,
    Res: Unpin,
    Err: Unpin,
{
    async fn holds(&self) {
        self.only_a_ready_service_is_called().await;
        self.a_clone_spends_nobody_elses_permit();
        self.pending_readiness_wakes();
        self.an_error_of_readiness_comes_through();
        self.a_dropped_call_frees_what_it_held().await;
    }

    async fn only_a_ready_service_is_called(&self) {
        let pool = Pool::new(1);
        let mut service = (self.wrap)(pool.probe());
        for _ in 0..3 {
            pool.answer(Ok((self.success)()));
            service.ready().await.expect("a free permit").call((self.request)()).await.expect("a success");
        }
        assert_eq!((pool.calls(), pool.free()), (3, 1));
    }

    fn a_clone_spends_nobody_elses_permit(&self) {
        let pool = Pool::new(1);
        let mut service = (self.wrap)(pool.probe());
        let mut task = task::spawn(());
        assert_ready_ok!(task.enter(|cx, _| service.poll_ready(cx)));
        let mut clone = service.clone();
        assert_pending!(task.enter(|cx, _| clone.poll_ready(cx)));
        drop(service);
        assert!(task.is_woken(), "a ready service that is dropped gives its permit back");
        assert_ready_ok!(task.enter(|cx, _| clone.poll_ready(cx)));
    }

    fn pending_readiness_wakes(&self) {
        let pool = Pool::new(0);
        let mut service = (self.wrap)(pool.probe());
        let mut task = task::spawn(());
        assert_pending!(task.enter(|cx, _| service.poll_ready(cx)));
        assert!(!task.is_woken());
        pool.release();
        assert!(task.is_woken());
        assert_ready_ok!(task.enter(|cx, _| service.poll_ready(cx)));
    }

    fn an_error_of_readiness_comes_through(&self) {
        let pool = Pool::new(1);
        pool.fail_readiness((self.error)());
        let mut service = (self.wrap)(pool.probe());
        assert_ready_err!(task::spawn(()).enter(|cx, _| service.poll_ready(cx)));
    }

    async fn a_dropped_call_frees_what_it_held(&self) {
        let pool = Pool::new(1);
        let mut service = (self.wrap)(pool.probe());
        drop(service.ready().await.expect("a free permit").call((self.request)()));
        assert_eq!(pool.free(), 1);
        // Polled, and with a failure behind it, which some wait after and repeat.
        for polls in 0..4 {
            pool.answer(Err((self.error)()));
            let mut call = task::spawn(service.ready().await.expect("a free permit").call((self.request)()));
            for _ in 0..polls {
                if call.poll().is_ready() {
                    break;
                }
                time::advance(SECOND).await;
            }
            drop(call);
            assert_eq!(pool.free(), 1);
        }
    }
}

type Judged = Failure<&'static str, io::Error>;

fn reset() -> Judged {
    Failure::unanswered(Verdict::TRANSIENT, io::ErrorKind::ConnectionReset.into())
}

async fn generic<S>(wrap: &dyn Fn(Probe<&'static str, Judged>) -> S)
where
    S: Service<&'static str, Response = &'static str, Error = Judged, Future: Send> + Clone + Send + Sync + 'static,
{
    Case { wrap, request: &|| "text", success: &|| "vector", error: &reset }.holds().await;

    let pool = Pool::new(1);
    pool.answer(Ok("vector"));
    assert_eq!(wrap(pool.probe()).oneshot("text").await.expect("a success"), "vector");
    let permanent = || Failure::unanswered(Verdict::PERMANENT, io::Error::other("came through unchanged"));
    pool.answer(Err(permanent()));
    let error = wrap(pool.probe()).oneshot("text").await.expect_err("a failure");
    assert_eq!(format!("{error:?}"), format!("{:?}", permanent()));
}

#[tokio::test(start_paused = true)]
async fn timeout_keeps_the_contract() {
    generic(&|probe| TimeoutLayer::new(SECOND).layer(probe)).await;
}

#[tokio::test(start_paused = true)]
async fn retry_keeps_the_contract() {
    let layer = RetryLayer::new([SECOND; 3]);
    generic(&|probe| layer.layer(probe)).await;
}

#[tokio::test(start_paused = true)]
async fn breaker_keeps_the_contract() {
    generic(&|probe| BreakerLayer::new(Circuit::new(Trip::default())).layer(probe)).await;
}

#[tokio::test(start_paused = true)]
async fn failover_keeps_the_contract() {
    generic(&|probe| FailoverLayer::new([]).layer(probe)).await;
    // Where there is another member, an error of the first one's readiness need not come through.
    let case = Case::<_, _, _, Judged> {
        wrap: &|probe| FailoverLayer::new([probe.clone()]).within(60 * SECOND).layer(probe),
        request: &|| "text",
        success: &|| "vector",
        error: &reset,
    };
    case.only_a_ready_service_is_called().await;
    case.a_clone_spends_nobody_elses_permit();
    case.pending_readiness_wakes();
    case.a_dropped_call_frees_what_it_held().await;
}

#[tokio::test(start_paused = true)]
async fn throttle_keeps_the_contract() {
    generic(&|probe| ThrottleLayer::default().layer(probe)).await;
    // Where every call but the first has to wait for its turn.
    generic(&|probe| ThrottleLayer::new(Pace::new(Rate::per_second(1))).layer(probe)).await;
}

#[tokio::test(start_paused = true)]
async fn optional_and_reordered_layers_keep_the_contract() {
    for with_retry in [true, false] {
        generic(&|probe| {
            ServiceBuilder::new()
                .layer(BreakerLayer::new(Circuit::new(Trip::default())))
                .option_layer(with_retry.then(|| TimeoutLayer::new(SECOND)))
                .layer(RetryLayer::new([SECOND]))
                .service(probe)
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn classify_keeps_the_contract() {
    let judge = |outcome: Result<&&'static str, &io::Error>| match outcome {
        Ok(_) => Verdict::SUCCESS,
        Err(_) => Verdict::TRANSIENT,
    };
    Case {
        wrap: &|probe| ClassifyLayer::new(judge).layer(probe),
        request: &|| "text",
        success: &|| "vector",
        error: &|| io::ErrorKind::ConnectionReset.into(),
    }
    .holds()
    .await;
}

#[tokio::test(start_paused = true)]
async fn collect_keeps_the_contract() {
    Case::<_, _, _, Infallible> {
        wrap: &|probe| CollectLayer::new(100).layer(probe),
        request: &|| Request::new(()),
        success: &|| Response::new(Full::new(Bytes::from_static(b"whole"))),
        error: &|| unreachable!(),
    }
    .only_a_ready_service_is_called()
    .await;
    Case {
        wrap: &|probe| CollectLayer::new(100).layer(probe),
        request: &|| Request::new(()),
        success: &|| Response::new(Full::new(Bytes::from_static(b"whole"))),
        error: &|| io::Error::from(io::ErrorKind::ConnectionReset),
    }
    .holds()
    .await;
}

fn vector() -> Response<Full<Bytes>> {
    Response::new(Bytes::from_static(br#"{"data":[{"index":0,"embedding":"AACAPw=="}]}"#).into())
}

#[tokio::test(start_paused = true)]
async fn the_whole_stack_keeps_the_contract() -> Result<(), Box<dyn Error>> {
    let endpoint = Endpoint::openai("http://localhost/v1")?;
    Case {
        wrap: &|probe| {
            let http = ServiceBuilder::new()
                .layer(ClassifyLayer::new(Providers))
                .layer(CollectLayer::new(64 << 20))
                .service(probe);
            Preset::interactive().layer(Embeddings::new(http, endpoint.clone()))
        },
        request: &|| EmbedRequest::new("model", ["text"]),
        success: &vector,
        error: &|| io::Error::from(io::ErrorKind::ConnectionReset),
    }
    .holds()
    .await;
    Ok(())
}
