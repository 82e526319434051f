//! The recipes of the cookbook, in its order, and what comes of each.

use std::{
    fmt::Debug,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::{net::TcpListener, time::Instant};
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn,
    util::{BoxCloneService, BoxCloneSyncService},
};
use tower_http::{decompression::DecompressionLayer, timeout::ResponseBodyTimeoutLayer, trace::TraceLayer};
use trysail::{
    Backoff, BreakerLayer, Circuit, Circuits, Class, Classified, ClassifyLayer, CollectLayer, Elapsed, EmbedRequest,
    EmbedStack, Embedder, Embeddings, Endpoint, Failure, HttpLayer, HttpRequest, Idempotent, Open, Preset, Providers,
    Rate, RedisStore, RetryLayer, TimeoutLayer, Trip, Verdict, throttle::Store,
};
use trysail_testkit::{EmbeddingServer, Scripted, scripted::Step};

type Failed = Failure<u32, io::Error>;
/// A client whose server answers in one piece.
type Client = BoxCloneSyncService<HttpRequest, Response<Full<Bytes>>, io::Error>;

/// A client whose server answers so, and how often it was asked.
fn client(
    answer: impl Fn(u32, &HttpRequest) -> Response<Full<Bytes>> + Send + Sync + 'static,
) -> (Arc<AtomicU32>, Client) {
    let asked = Arc::new(AtomicU32::new(0));
    let (counts, answer) = (Arc::clone(&asked), Arc::new(answer));
    let service = service_fn(move |request| {
        let answer = answer(counts.fetch_add(1, Relaxed), &request);
        async { Ok(answer) }
    });
    (asked, BoxCloneSyncService::new(service))
}

fn status(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer
}

fn busy() -> (Arc<AtomicU32>, Client) {
    client(|_, _| status(StatusCode::SERVICE_UNAVAILABLE, "later"))
}

fn request(method: Method, url: &str) -> HttpRequest {
    Request::builder().method(method).uri(url).body(Full::default()).expect("the parts are good")
}

const HARBOUR: &str = "http://harbour.example/depth";

fn only_gets(client: Client) -> impl Service<HttpRequest, Response = Response<Bytes>, Error: Classified> + Clone {
    // sample docs/cookbook.md
    let service = ServiceBuilder::new()
        .layer(
            RetryLayer::new(Backoff::exponential(Duration::from_millis(100)))
                .replay(|request: &HttpRequest| (request.method() == Method::GET).then(|| request.clone())),
        )
        .layer(HttpLayer::new())
        .service(client);
    // end
    service
}

#[tokio::test(start_paused = true)]
async fn only_a_get_is_repeated() {
    for (method, times) in [(Method::GET, 4), (Method::PUT, 1), (Method::POST, 1)] {
        let (asked, client) = busy();
        only_gets(client).oneshot(request(method.clone(), HARBOUR)).await.expect_err("503");
        assert_eq!(asked.load(Relaxed), times, "{method}");
    }
}

fn by_host(client: Client) -> impl Service<HttpRequest, Response = Response<Bytes>, Error: Debug> + Clone {
    // sample docs/cookbook.md
    let circuits = Circuits::new(1_000, || Circuit::new(Trip::default())); // at most 1,000 hosts are remembered
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(circuits.keyed(|request: &HttpRequest| request.uri().authority().cloned())))
        .layer(HttpLayer::new())
        .service(client);
    // end
    service
}

#[tokio::test(start_paused = true)]
async fn one_host_that_is_down_says_nothing_of_another() {
    let (asked, client) = client(|_, request| {
        let down = request.uri().host() == Some("harbour.example");
        status(if down { StatusCode::BAD_GATEWAY } else { StatusCode::OK }, "")
    });
    let service = by_host(client);
    for _ in 0..30 {
        service.clone().oneshot(request(Method::GET, HARBOUR)).await.expect_err("it is down");
    }
    assert_eq!(asked.load(Relaxed), 20, "the circuit has opened");
    service.oneshot(request(Method::GET, "http://strait.example/")).await.expect("another circuit");
}

fn streamed(
    client: Client,
) -> impl Service<HttpRequest, Response = Response<impl hyper::body::Body<Data = Bytes>>, Error: Classified + Debug> + Clone
{
    // sample docs/cookbook.md
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(100))).replay(Idempotent))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20))) // until the head is in
        .layer(ResponseBodyTimeoutLayer::new(Duration::from_secs(5))) // silence in the stream
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::errors(64 << 10)) // reads the body of a failure, hands on that of a success
        .service(client);
    // end
    service
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_repeated_until_its_head_is_good() {
    let (asked, client) = client(|times, _| match times {
        0 => status(StatusCode::SERVICE_UNAVAILABLE, "later"),
        _ => status(StatusCode::OK, "a fair wind"),
    });
    let answer = streamed(client).oneshot(request(Method::GET, HARBOUR)).await.expect("the second time");
    let Ok(whole) = answer.into_body().collect().await else { panic!("it breaks off") };
    assert_eq!((whole.to_bytes(), asked.load(Relaxed)), (Bytes::from("a fair wind"), 2));
}

mod own_error {
    use super::*;

    // sample docs/cookbook.md
    #[derive(Debug)]
    enum Mine {
        Late(Elapsed),
        Down { retry_after: Duration },
        Broken(io::Error),
    }

    impl From<Elapsed> for Mine {
        fn from(elapsed: Elapsed) -> Self {
            Self::Late(elapsed)
        }
    }

    impl From<Open> for Mine {
        fn from(open: Open) -> Self {
            Self::Down { retry_after: open.retry_after() }
        }
    }

    impl Classified for Mine {
        fn verdict(&self) -> Verdict {
            match self {
                Self::Late(elapsed) => elapsed.verdict(),
                Self::Down { retry_after } => Verdict::REFUSED.after(*retry_after),
                Self::Broken(error) if error.kind() == io::ErrorKind::NotFound => Verdict::PERMANENT,
                Self::Broken(_) => Verdict::TRANSIENT,
            }
        }
    }
    // end

    fn stack(
        service: impl Service<(), Response = u32, Error = io::Error> + Clone,
    ) -> impl Service<(), Response = u32, Error = Mine> + Clone {
        // sample docs/cookbook.md
        let service = ServiceBuilder::new()
            .layer(TimeoutLayer::new(Duration::from_secs(60)))
            .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(100))))
            .layer(BreakerLayer::new(Circuit::new(Trip::consecutive(5))))
            .layer(TimeoutLayer::new(Duration::from_secs(20)))
            .map_err(Mine::Broken)
            .service(service);
        // end
        service
    }

    #[tokio::test(start_paused = true)]
    async fn it_holds_what_the_layers_say_and_judges_the_rest() {
        let failing = |kind: io::ErrorKind| service_fn(move |()| async move { Err::<u32, _>(kind.into()) });
        let lost = stack(failing(io::ErrorKind::NotFound)).oneshot(()).await;
        assert!(matches!(lost, Err(Mine::Broken(_))), "{lost:?}");
        let service = stack(failing(io::ErrorKind::ConnectionReset));
        let last = service.clone().oneshot(()).await;
        assert!(matches!(last, Err(Mine::Broken(_))), "{last:?}");
        service.clone().oneshot(()).await.expect_err("the fifth opens the circuit");
        let refused = service.oneshot(()).await;
        assert!(matches!(refused, Err(Mine::Down { retry_after }) if !retry_after.is_zero()), "{refused:?}");
        let late = stack(service_fn(|()| std::future::pending())).oneshot(()).await;
        assert!(matches!(late, Err(Mine::Late(_))), "{late:?}");
    }
}

fn last_answer(client: Client) -> impl Service<HttpRequest, Response = Response<Bytes>, Error: Debug> + Clone {
    // sample docs/cookbook.md
    let service = ServiceBuilder::new()
        .map_result(Failure::or_response) // the last 503 as it came, and an error only where nobody answered
        .layer(Preset::interactive())
        .layer(HttpLayer::new())
        .service(client);
    // end
    service
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_is_handed_on_as_it_came() {
    let (asked, client) = client(|times, _| {
        let mut answer = status(StatusCode::SERVICE_UNAVAILABLE, "later");
        answer.headers_mut().insert("x-times", times.into());
        answer
    });
    let answer = last_answer(client).oneshot(request(Method::GET, HARBOUR)).await.expect("an answer");
    assert_eq!((answer.status().as_u16(), &answer.headers()["x-times"]), (503, &3.into()));
    assert_eq!(asked.load(Relaxed), 4);
}

fn last_good(client: Client) -> impl Service<HttpRequest, Response = Response<Bytes>, Error: Debug> + Clone {
    // sample docs/cookbook.md
    let last = Arc::new(Mutex::new(None)); // of one question; a map, where there are many
    let service = ServiceBuilder::new()
        .map_result(move |outcome: Result<Response<Bytes>, BoxError>| {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            match outcome {
                Ok(answer) => Ok(last.insert(answer).clone()),
                Err(error) => last.clone().ok_or(error),
            }
        })
        .map_err(BoxError::from)
        .layer(Preset::interactive())
        .layer(HttpLayer::new())
        .service(client);
    // end
    service
}

#[tokio::test(start_paused = true)]
async fn the_last_good_answer_is_kept_for_bad_days() {
    let (_, client) = client(|times, _| match times {
        4 => status(StatusCode::OK, "a fair wind"),
        _ => status(StatusCode::SERVICE_UNAVAILABLE, "later"),
    });
    let service = last_good(client);
    service.clone().oneshot(request(Method::GET, HARBOUR)).await.expect_err("there is none yet");
    for _ in 0..2 {
        let answer = service.clone().oneshot(request(Method::GET, HARBOUR)).await.expect("an answer");
        assert_eq!(answer.body(), "a fair wind");
    }
}

fn timeout_alone(
    service: impl Service<(), Response = u32, Error = io::Error>,
) -> impl Service<(), Response = u32, Error = BoxError> {
    // sample docs/cookbook.md
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .map_err(BoxError::from) // room for what the layer says; an error of yours with `From<Elapsed>` needs no box
        .service(service);
    // end
    service
}

fn breaker_alone(
    service: impl Service<(), Response = u32, Error = io::Error> + Clone,
) -> impl Service<(), Response = u32, Error = BoxError> + Clone {
    // sample docs/cookbook.md
    let judge = |outcome: Result<&u32, &BoxError>| match outcome {
        Ok(fathoms) if *fathoms > 0 => Verdict::SUCCESS,
        _ => Verdict::TRANSIENT,
    };
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(Circuit::new(Trip::consecutive(5))).classify_with(judge))
        .map_err(BoxError::from)
        .service(service);
    // end
    service
}

#[tokio::test(start_paused = true)]
async fn one_layer_alone_does_its_part() {
    let began = Instant::now();
    let hangs = service_fn(|()| std::future::pending::<io::Result<u32>>());
    let error = timeout_alone(hangs).oneshot(()).await.expect_err("it hangs");
    assert!(error.is::<Elapsed>() && began.elapsed() == Duration::from_secs(20), "{error}");

    let aground = service_fn(|()| async { Ok::<_, io::Error>(0) });
    let service = breaker_alone(aground);
    for _ in 0..5 {
        service.clone().oneshot(()).await.expect("no depth at all");
    }
    let error = service.oneshot(()).await.expect_err("that is a failure");
    assert!(error.is::<Open>(), "{error}");
}

fn optional(
    retries: bool,
    service: impl Service<(), Response = u32, Error = Failed> + Clone,
) -> impl Service<(), Response = u32, Error = Failed> + Clone {
    // sample docs/cookbook.md
    let retry = retries.then(|| RetryLayer::new(Backoff::exponential(Duration::from_millis(100))));
    let service = ServiceBuilder::new()
        .option_layer(retry)
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .service(service);
    // end
    service
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_is_left_out_does_nothing() {
    for (retries, times) in [(true, 4), (false, 1)] {
        let failed = || Err(Failed::unanswered(Verdict::TRANSIENT, io::ErrorKind::ConnectionReset.into()));
        let server = Scripted::<(), u32, Failed>::new([failed(), failed(), failed(), failed()]);
        optional(retries, server.clone()).oneshot(()).await.expect_err("it fails");
        assert_eq!(server.calls(), times);
    }
}

mod boxed {
    use trysail::HttpError;

    use super::*;

    // sample docs/cookbook.md
    /// What a struct of yours holds, whatever stands behind it.
    type Embed = BoxCloneService<HttpRequest, Response<Bytes>, HttpError>;

    fn production() -> Embed {
        Preset::interactive().layer(trysail::client()).boxed_clone()
    }

    fn in_tests(answer: &'static str) -> Embed {
        service_fn(move |_| async move { Ok(Response::new(Bytes::from(answer))) }).boxed_clone()
    }
    // end

    #[tokio::test]
    async fn both_have_one_type() {
        let both = [production(), in_tests("a fair wind")];
        let [_, embed] = both;
        let answer = embed.oneshot(request(Method::GET, HARBOUR)).await.expect("it is at hand");
        assert_eq!(answer.body(), "a fair wind");
    }
}

fn limits(
    service: impl Service<(), Response = u32, Error = Failed, Future: Send> + Clone + Send + 'static,
) -> impl Service<(), Response = u32, Error = BoxError, Future: Send> + Clone + Send + 'static {
    // sample docs/cookbook.md
    let service = ServiceBuilder::new()
        .load_shed() // a call that finds no place fails at once; `ReadyTimeoutLayer` would let it wait for a while
        .concurrency_limit(64) // calls that are under way, backoffs included
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(100))))
        .buffer(64) // a rate limit has no `Clone`, and a retry wants one
        .rate_limit(10, Duration::from_secs(1)) // requests to the server, retries included
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .service(service);
    // end
    service
}

#[tokio::test(start_paused = true)]
async fn calls_are_shed_and_requests_are_paced() {
    let began = Instant::now();
    let slow = service_fn(|()| async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok::<u32, Failed>(12)
    });
    let service = limits(slow);
    let calls: Vec<_> = (0..70).map(|_| tokio::spawn(service.clone().oneshot(()))).collect();
    let (mut answered, mut shed) = (0, 0);
    for call in calls {
        match call.await.expect("no panic") {
            Ok(_) => answered += 1,
            Err(error) => shed += u32::from(error.is::<tower::load_shed::error::Overloaded>()),
        }
    }
    assert_eq!((answered, shed), (64, 6));
    // 64 requests at ten a second begin within the seventh.
    assert_eq!(began.elapsed().as_secs(), 6 + 2);
}

fn traced(client: Client) -> impl Service<HttpRequest, Response = Response<Bytes>, Error: Debug> + Clone {
    // sample docs/cookbook.md
    let service = ServiceBuilder::new()
        .layer(Preset::interactive())
        .layer(HttpLayer::new())
        // Below the layer that reads the body, or the judge reads noise. Their bodies fail with a box, which is no `Error`.
        .map_response(|answer: Response<_>| answer.map(|body| BodyExt::map_err(body, io::Error::other)))
        .layer(DecompressionLayer::new())
        .layer(TraceLayer::new_for_http()) // each attempt as it goes over the wire
        .service(client);
    // end
    service
}

#[tokio::test(start_paused = true)]
async fn what_comes_compressed_is_judged_and_handed_on_plain() {
    let (asked, client) = client(|times, request| {
        assert!(request.headers()["accept-encoding"].to_str().is_ok_and(|known| known.contains("gzip")));
        let mut answer = Response::new(Full::from(QUOTA));
        *answer.status_mut() = if times == 0 { StatusCode::BAD_GATEWAY } else { StatusCode::TOO_MANY_REQUESTS };
        answer.headers_mut().insert("content-encoding", "gzip".parse().expect("a word"));
        answer
    });
    let error = traced(client).oneshot(request(Method::GET, HARBOUR)).await.expect_err("the account is empty");
    assert!(format!("{error:?}").contains("QuotaExhausted"), "{error:?}");
    assert_eq!(asked.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_error_is_a_box_is_given_one_that_is_an_error() {
    let reset =
        || async { Err::<Response<Full<Bytes>>, BoxError>(io::Error::from(io::ErrorKind::ConnectionReset).into()) };
    let client = service_fn(move |_: HttpRequest| reset());
    let service = ServiceBuilder::new().layer(HttpLayer::new()).map_err(io::Error::other).service(client);
    let error = service.oneshot(request(Method::GET, HARBOUR)).await.expect_err("nobody is there");
    assert_eq!(
        (error.verdict(), error.to_string()),
        (Verdict::TRANSIENT, "the call failed: connection reset".to_owned())
    );
}

/// `{"error":{"code":"insufficient_quota"}}`, compressed by gzip.
const QUOTA: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 45, 42, 202, 47, 82, 178, 170, 86, 74, 206, 79, 73, 85, 178, 82, 202,
    204, 43, 46, 77, 75, 203, 76, 206, 76, 205, 43, 137, 47, 44, 205, 47, 73, 84, 170, 173, 5, 0, 5, 34, 4, 6, 39, 0,
    0, 0,
];

mod paused {
    use super::*;

    fn stack(
        server: impl Service<(), Response = u32, Error = Failed> + Clone,
    ) -> impl Service<(), Response = u32, Error = Failed> + Clone {
        ServiceBuilder::new()
            .layer(TimeoutLayer::new(Duration::from_secs(60)))
            .layer(RetryLayer::new([Duration::from_secs(1)]))
            .service(server)
    }

    // sample docs/cookbook.md
    #[tokio::test(start_paused = true)] // no clock runs: what sleeps wakes as soon as nothing else is left to do
    async fn a_server_that_hangs_is_given_up_after_a_minute() {
        let reset = Failed::unanswered(Verdict::TRANSIENT, io::ErrorKind::ConnectionReset.into());
        let server = Scripted::<(), u32, Failed>::new([Step::Answer(Err(reset)), Step::Hang]);
        let began = Instant::now();
        let outcome = stack(server.clone()).oneshot(()).await;
        assert!(matches!(outcome, Err(Failure::Elapsed(_))));
        assert_eq!((began.elapsed(), server.calls()), (Duration::from_secs(60), 2));
    }
    // end
}

mod queue {
    use super::*;

    // sample docs/cookbook.md
    /// What becomes of a job.
    #[derive(Debug, PartialEq)]
    enum Next {
        Done,
        Again { after: Duration },
        Dead,
    }

    /// Our retries are for seconds, a queue's redeliveries for minutes: it redoes what may pass by then.
    fn next<T, E: Classified>(outcome: &Result<T, E>) -> Next {
        let Err(error) = outcome else { return Next::Done };
        let verdict = error.verdict();
        match verdict.class() {
            Class::Auth | Class::Permanent => Next::Dead,
            Class::QuotaExhausted => Next::Again { after: Duration::from_secs(3_600) },
            _ => Next::Again { after: verdict.retry_after().unwrap_or_default().max(Duration::from_secs(60)) },
        }
    }

    /// The key is the job's own, so that every attempt of every delivery is one call to the server.
    fn request(job: &Job) -> Result<HttpRequest, http::Error> {
        Request::post(&*job.url).header("idempotency-key", &*job.id).body(job.body.clone().into())
    }
    // end

    struct Job {
        id: String,
        url: String,
        body: Bytes,
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_is_redone_if_that_may_help() {
        let job = Job { id: "job-17".to_owned(), url: HARBOUR.to_owned(), body: Bytes::from("{}") };
        for (code, times, fate) in [
            (200, 1, Next::Done),
            (503, 4, Next::Again { after: Duration::from_secs(60) }),
            (402, 1, Next::Again { after: Duration::from_secs(3_600) }),
            (401, 1, Next::Dead),
            (422, 1, Next::Dead),
        ] {
            let (asked, client) = client(move |_, request| {
                assert_eq!(request.headers()["idempotency-key"], "job-17");
                status(StatusCode::from_u16(code).expect("a status"), "")
            });
            let service = ServiceBuilder::new().layer(Preset::interactive()).layer(HttpLayer::new()).service(client);
            let outcome = service.oneshot(request(&job).expect("the parts are good")).await;
            assert_eq!((next(&outcome), asked.load(Relaxed)), (fate, times), "{code}");
        }
    }
}

fn account(endpoint: Endpoint) -> (Preset, EmbedStack) {
    // sample docs/cookbook.md
    let preset = Preset::bulk().requests_per_minute(500).tokens_per_minute(200_000);
    let embed = preset.layer(Embeddings::new(trysail::client(), endpoint));

    // From anywhere, any time: the account was upgraded.
    preset.pace().update(|pace| pace.requests(Rate::per_minute(3_000)));
    // end
    (preset, embed)
}

#[tokio::test]
async fn calls_keep_to_the_rate_of_the_account() -> Result<(), BoxError> {
    let server = EmbeddingServer::new().bind().await?;
    let (preset, embed) = account(Endpoint::openai(&server.url())?);
    assert_eq!(preset.pace().snapshot().request_rate(), Some(Rate::per_minute(3_000)));
    // Less of it, so that they have to wait: one in 100 ms, and no burst.
    preset.pace().update(|pace| pace.requests(Rate::per_second(10).burst(1)));
    let began = Instant::now();
    for _ in 0..4 {
        embed.clone().oneshot(EmbedRequest::new("potion-base-2M", ["a fair wind"])).await?;
    }
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
    assert_eq!(server.stats().requests, 4);
    assert!(preset.pace().snapshot().waited() >= 1);
    Ok(())
}

fn shared(url: &str, endpoint: Endpoint) -> Result<(Embedder, Preset), BoxError> {
    // sample docs/cookbook.md
    let store = RedisStore::open(url)?.secret("of all replicas");
    let preset = Preset::bulk().requests_per_minute(500);
    let embed = Embedder::new(endpoint.clone()).preset(preset.clone()).shared(&store);

    // The same for a stack of your own:
    let preset = preset.shared(&store, endpoint.account("text-embedding-3-small"));
    // end
    Ok((embed, preset))
}

#[tokio::test]
async fn processes_share_the_quota_and_each_goes_on_alone_without_redis() -> Result<(), BoxError> {
    let server = EmbeddingServer::new().model("text-embedding-3-small").bind().await?;
    let nobody = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let (embed, preset) = shared(&format!("redis://{nobody}"), Endpoint::openai(&server.url())?)?;
    for pace in [embed.pace(), preset.pace()] {
        assert_eq!(
            (pace.snapshot().store(), pace.snapshot().request_rate()),
            (Store::Shared, Some(Rate::per_minute(500)))
        );
    }
    assert_eq!(embed.embed(["a fair wind"]).await?.len(), 1);
    assert_eq!((embed.pace().snapshot().store(), server.stats().requests), (Store::Alone, 1));
    Ok(())
}
