//! A feature never changes a default: one script takes one course, whatever is compiled in and whoever listens.
//!
//! Cargo builds a test with one set of features, so the course is written down, and each set is held against that.

use std::{
    convert::Infallible,
    env,
    fmt::Write,
    fs,
    future::pending,
    io,
    ops::Range,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn, util::BoxCloneService};
use trysail::{
    Backoff, BreakerLayer, Budget, Circuit, Class, Classified, ClassifyLayer, CollectLayer, Failure, Idempotent,
    Preset, Providers, RetryLayer, TimeoutLayer, Trip,
};

type Call = Request<Full<Bytes>>;
type Answer = Response<Full<Bytes>>;

/// What the server does with one request after another, over and over.
const SCRIPT: [Step; 17] = [
    Step::Answer(200, "", "{}"),
    Step::Answer(503, "", ""),
    Step::Answer(500, "", "{}"),
    Step::Answer(200, "", "{}"),
    Step::Reset,
    Step::Answer(200, "", "<html>"),
    Step::Answer(401, "", r#"{"error":{"code":"invalid_api_key"}}"#),
    Step::Silence,
    Step::Answer(200, "", "{}"),
    Step::Answer(429, "", r#"{"error":{"code":"insufficient_quota"}}"#),
    Step::Answer(529, "", ""),
    Step::Answer(400, "", "{}"),
    Step::Answer(200, "", "{}"),
    Step::Answer(429, "2", "{}"),
    Step::Answer(503, "", r#"{"error":"Model potion is currently loading"}"#),
    Step::Answer(429, "", "{}"),
    Step::Answer(503, "1", ""),
];

/// So many of them call for no wait but that of a backoff, which alone has a seed where a preset makes the retry.
const WITHOUT_HINTS: usize = 13;

/// While it is down, it answers nothing else.
const DOWN: Step = Step::Answer(502, "", "");

#[derive(Clone, Copy)]
enum Step {
    /// A status, a `Retry-After` and a body.
    Answer(u16, &'static str, &'static str),
    Reset,
    Silence,
}

/// A server that notes what it did, and when.
#[derive(Clone)]
struct Server {
    start: Instant,
    script: &'static [Step],
    down: Range<u128>,
    asked: Arc<Mutex<(usize, String)>>,
}

impl Server {
    fn new(script: &'static [Step], down: Range<u128>) -> Self {
        Self { start: Instant::now(), script, down, asked: Arc::default() }
    }

    fn millis(&self) -> u128 {
        self.start.elapsed().as_millis()
    }

    fn notes(&self) -> String {
        std::mem::take(&mut self.asked.lock().expect("no panic").1)
    }

    fn next(&self) -> Step {
        let mut asked = self.asked.lock().expect("no panic");
        asked.0 += 1;
        let step = if self.down.contains(&self.millis()) { DOWN } else { self.script[asked.0 % self.script.len()] };
        let what = match step {
            Step::Answer(status, ..) => status.to_string(),
            Step::Reset => "reset".to_owned(),
            Step::Silence => "silence".to_owned(),
        };
        write!(asked.1, " {what}@{}", self.millis()).expect("a string grows");
        step
    }

    async fn answer(self) -> io::Result<Answer> {
        let step = self.next();
        sleep(Duration::from_millis(30)).await;
        match step {
            Step::Answer(status, after, body) => {
                let answer = Response::builder().status(status).header("content-type", "application/json");
                let answer = if after.is_empty() { answer } else { answer.header("retry-after", after) };
                Ok(answer.body(Full::from(body)).expect("a valid answer"))
            }
            Step::Reset => Err(io::ErrorKind::ConnectionReset.into()),
            Step::Silence => pending().await,
        }
    }
}

type Judged = Failure<Response<Bytes>, trysail::transport::CollectError<io::Error, Infallible>>;
type Stack = BoxCloneService<Call, Response<Bytes>, Judged>;

/// The foot of each stack.
fn foot(
    server: &Server,
) -> impl Service<Call, Response = Response<Bytes>, Error = Judged, Future: Send> + Clone + Send + 'static + use<> {
    let server = server.clone();
    ServiceBuilder::new()
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1 << 20))
        .service(service_fn(move |_: Call| server.clone().answer()))
}

fn backoff() -> Backoff {
    Backoff::exponential(Duration::from_millis(100)).seed(1)
}

fn by_hand(patient: bool, server: &Server) -> (Stack, Circuit) {
    let circuit = Circuit::new(Trip::default());
    let limit = Duration::from_secs(60);
    let retry = RetryLayer::new(backoff()).seed(2).replay(Idempotent).within(limit).budget(Budget::default());
    let stack = ServiceBuilder::new()
        .layer(TimeoutLayer::new(limit))
        .layer(if patient { retry.patient() } else { retry })
        .layer(BreakerLayer::new(circuit.clone()))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .service(foot(server));
    (watched(stack).boxed_clone(), circuit)
}

fn preset(preset: Preset, server: &Server) -> (Stack, Circuit) {
    let preset = preset.backoff(backoff());
    let circuit = preset.circuit().clone();
    (watched(preset.layer(foot(server))).boxed_clone(), circuit)
}

/// What became of so many calls, of which three are made at once.
async fn course(name: &str, calls: u32, server: Server, make: impl Fn(&Server) -> (Stack, Circuit)) -> String {
    let (stack, circuit) = make(&server);
    circuit.seed(3);
    let mut course = format!("{name}\n");
    for _ in 0..calls {
        let call =
            || stack.clone().oneshot(Request::post("/v1/embeddings").body(Full::from("{}")).expect("a valid request"));
        let begun = server.millis();
        let outcomes = tokio::join!(call(), call(), call());
        let [one, two, three] = [outcomes.0, outcomes.1, outcomes.2].map(|outcome| match outcome {
            Ok(_) => Class::Success,
            Err(failure) => failure.verdict().class(),
        });
        let (notes, state) = (server.notes(), circuit.state());
        writeln!(course, "{begun}:{notes} -> {one} {two} {three} @{} {state:?}", server.millis())
            .expect("a string grows");
        sleep(Duration::from_millis(700)).await;
    }
    course
}

#[test]
fn a_feature_never_changes_a_default() {
    let courses = listened_to(async {
        let throttles = || Server::new(&SCRIPT, 60_000..90_000);
        let fails = |down| Server::new(&SCRIPT[..WITHOUT_HINTS], down);
        [
            course("by hand", 40, throttles(), |server| by_hand(false, server)).await,
            course("by hand, patient", 20, throttles(), |server| by_hand(true, server)).await,
            course("interactive", 40, fails(60_000..90_000), |server| preset(Preset::interactive(), server)).await,
            course("bulk", 20, fails(0..0), |server| preset(Preset::bulk(), server)).await,
        ]
        .concat()
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/course.txt");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &courses).expect("it can be written");
    }
    let written = fs::read_to_string(&path).expect("it is there");
    let differ = written.lines().zip(courses.lines()).find(|(written, now)| written != now);
    assert_eq!(differ, None, "UPDATE=1 writes it anew, if the change is meant and holds for every set of features");
    assert_eq!(written, courses);
}

/// Runs `work` in paused time, with somebody who listens to everything that is said.
fn listened_to<T>(work: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let run = || runtime.block_on(work);
    #[cfg(feature = "tracing")]
    let run = || {
        use tracing_subscriber::util::SubscriberInitExt as _;
        let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(io::sink);
        let _listening = all.finish().set_default();
        run()
    };
    #[cfg(feature = "metrics")]
    let run = || metrics::with_local_recorder(&metrics_util::debugging::DebuggingRecorder::new(), run);
    run()
}

#[cfg(any(feature = "metrics", feature = "tracing"))]
fn watched<S>(service: S) -> trysail::observe::Observe<S> {
    trysail::ObserveLayer::new("localhost", "potion").layer(service)
}

#[cfg(not(any(feature = "metrics", feature = "tracing")))]
fn watched<S>(service: S) -> S {
    service
}
