//! Layers in the wrong order and in the right one, as the manual shows them, and what becomes of a call.

use std::{
    convert::Infallible,
    fmt::Debug,
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{Full, channel::Channel};
use tokio::time::{self, Instant};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Backoff, BreakerLayer, Circuit, ClassifyLayer, CollectLayer, Failure, Providers, RetryLayer, TimeoutLayer, Trip,
    Verdict, breaker::State,
};

const SECOND: Duration = Duration::from_secs(1);
type Failed = Failure<(), io::Error>;

/// Any service whose errors are judged.
trait Server: Service<(), Response = (), Error = Failed, Future: Send> + Clone + Send + 'static {}
impl<S> Server for S where S: Service<(), Response = (), Error = Failed, Future: Send> + Clone + Send + 'static {}

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(Duration::from_millis(100)))
}

fn breaker_and_retry(server: impl Server, breaker: BreakerLayer) -> (impl Server, impl Server) {
    let retry = retry();
    // sample docs/stacking.md
    // Wrong: four requests count as one failure, and the retry goes on while the server is known to be down.
    let wrong = ServiceBuilder::new().layer(breaker.clone()).layer(retry.clone()).service(server.clone());
    // Right: each attempt is judged, and an open circuit ends the call with the server's last error.
    let right = ServiceBuilder::new().layer(retry).layer(breaker).service(server);
    // end
    (wrong, right)
}

#[tokio::test(start_paused = true)]
async fn a_breaker_above_the_retry_sees_calls_and_one_below_it_sees_attempts() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&sent);
    let down = service_fn(move |(): ()| {
        counts.fetch_add(1, Relaxed);
        async { Err::<(), _>(Failed::unanswered(Verdict::TRANSIENT, io::ErrorKind::ConnectionRefused.into())) }
    });
    let circuits = [Circuit::new(Trip::consecutive(2)), Circuit::new(Trip::consecutive(2))];
    let [above, below] = circuits.each_ref().map(|circuit| BreakerLayer::new(circuit.clone()));
    let (wrong, _) = breaker_and_retry(down.clone(), above);
    let (_, right) = breaker_and_retry(down, below);
    wrong.oneshot(()).await.expect_err("it is down");
    assert_eq!((sent.swap(0, Relaxed), circuits[0].state()), (4, State::Closed));
    let last = right.oneshot(()).await.expect_err("it is down");
    assert_eq!((sent.load(Relaxed), circuits[1].state()), (2, State::Open));
    assert!(matches!(last, Failure::Service(_)), "the server's last error: {last:?}");
}

fn timeout_and_retry(server: impl Server) -> (impl Server, impl Server) {
    let retry = retry();
    // sample docs/stacking.md
    // Wrong: each of four attempts may take a minute.
    let wrong = ServiceBuilder::new()
        .layer(retry.clone())
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .service(server.clone());
    // Right: all of them together may, and `within` stops the retry in time to return the server's last error.
    let right = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(retry.within(Duration::from_secs(60)))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .service(server);
    // end
    (wrong, right)
}

#[tokio::test(start_paused = true)]
async fn a_timeout_below_the_retry_is_one_for_each_attempt() {
    let (wrong, right) = timeout_and_retry(service_fn(|(): ()| pending::<Result<(), Failed>>()));
    let began = Instant::now();
    wrong.oneshot(()).await.expect_err("nothing answers");
    assert!(began.elapsed() >= 240 * SECOND);
    let began = Instant::now();
    right.oneshot(()).await.expect_err("nothing answers");
    assert!(began.elapsed() <= 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn within_stops_the_retry_in_time_to_return_the_servers_last_error() {
    let slow = || {
        service_fn(|(): ()| async {
            time::sleep(10 * SECOND).await;
            Err::<(), _>(Failed::unanswered(Verdict::TRANSIENT.after(25 * SECOND), io::ErrorKind::TimedOut.into()))
        })
    };
    let (_, right) = timeout_and_retry(slow());
    assert!(matches!(right.oneshot(()).await, Err(Failure::Service(_))));
    let without = ServiceBuilder::new().layer(TimeoutLayer::new(60 * SECOND)).layer(retry()).service(slow());
    assert!(matches!(without.oneshot(()).await, Err(Failure::Elapsed(_))));
}

/// Any client whose answers come in pieces.
trait Client: Service<Request<()>, Response = Response<Channel<Bytes>>, Error = Infallible> + Clone {}
impl<S> Client for S where S: Service<Request<()>, Response = Response<Channel<Bytes>>, Error = Infallible> + Clone {}

/// Any service that hands on what it has read.
trait Whole: Service<Request<()>, Response = Response<Bytes>, Error: Debug> {}
impl<S> Whole for S where S: Service<Request<()>, Response = Response<Bytes>, Error: Debug> {}

fn timeout_and_body(client: impl Client) -> (impl Whole, impl Whole) {
    // sample docs/stacking.md
    // Wrong: the limit ends with the head of the answer, and a body that trickles in holds the call for as long as it likes.
    let wrong = ServiceBuilder::new()
        .layer(CollectLayer::new(64 << 20))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .map_err(BoxError::from)
        .service(client.clone());
    // Right: whatever part of the answer is late, it is an `Elapsed` after 20 s.
    let right = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .map_err(BoxError::from)
        .layer(CollectLayer::new(64 << 20))
        .service(client);
    // end
    (wrong, right)
}

#[tokio::test(start_paused = true)]
async fn a_timeout_covers_the_body_only_above_the_collect_layer() {
    let trickling = service_fn(|_: Request<()>| async {
        let (mut sender, body) = Channel::new(1);
        tokio::spawn(async move {
            for _ in 0..15 {
                time::sleep(4 * SECOND).await;
                let _ = sender.send_data(Bytes::from_static(b"piece")).await;
            }
        });
        Ok::<_, Infallible>(Response::new(body))
    });
    let (wrong, right) = timeout_and_body(trickling);
    let began = Instant::now();
    assert!(wrong.oneshot(Request::new(())).await.is_ok());
    assert_eq!(began.elapsed(), 60 * SECOND);
    let began = Instant::now();
    let error = right.oneshot(Request::new(())).await.expect_err("it is late");
    assert!(format!("{error:?}").starts_with("Elapsed"), "{error:?}");
    assert_eq!(began.elapsed(), 20 * SECOND);
}

fn judge_and_retry<S>(client: S) -> (impl Whole, impl Whole)
where
    S: Service<Request<()>, Response = Response<Full<Bytes>>, Error = io::Error, Future: Send> + Clone,
{
    let retry = retry();
    // sample docs/architecture.md
    // Wrong: the retry sees an HTTP answer, which is an `Ok`, a 503 too. It is judged when nobody asks again.
    let wrong = ServiceBuilder::new()
        .layer(ClassifyLayer::new(Providers))
        .layer(retry.clone())
        .map_err(BoxError::from)
        .layer(CollectLayer::new(64 << 20))
        .service(client.clone());
    // Right: above the judge a 503 is an error, and says by itself that asking again may help.
    let right = ServiceBuilder::new()
        .layer(retry)
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(64 << 20))
        .service(client);
    // end
    (wrong, right)
}

#[tokio::test(start_paused = true)]
async fn a_retry_below_the_judge_takes_a_503_for_a_success() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&sent);
    let client = service_fn(move |_: Request<()>| {
        counts.fetch_add(1, Relaxed);
        async {
            let mut answer = Response::new(Full::default());
            *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            Ok::<_, io::Error>(answer)
        }
    });
    let (wrong, right) = judge_and_retry(client);
    wrong.oneshot(Request::new(())).await.expect_err("503");
    assert_eq!(sent.swap(0, Relaxed), 1);
    right.oneshot(Request::new(())).await.expect_err("503");
    assert_eq!(sent.load(Relaxed), 4);
}
