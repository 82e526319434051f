//! A list of servers as its users meet it: typed, each with its circuit, under a retry and a budget.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::{
    task::JoinSet,
    time::{self, Instant},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Backoff, BreakerLayer, Budget, Circuit, Class, Classified, ClassifyLayer, CollectLayer, EmbedError, EmbedRequest,
    EmbedResponse, Embeddings, Endpoint, FailoverLayer, Idempotent, Preset, Providers, RetryLayer, TimeoutLayer, Trip,
    breaker::{CircuitSettings, State},
    embeddings::{Family, Fingerprint},
    retry::BudgetSettings,
};

use crate::metrics::Log;

const SECOND: Duration = Duration::from_secs(1);
const OURS: [f32; 2] = [0.6, 0.8];
const ANOTHERS: [f32; 2] = [0.8, 0.6];

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Up([f32; 2]),
    Down,
    Hanging,
    /// It answers this status.
    Saying(u16),
}

/// A server that can be turned into another.
#[derive(Clone)]
struct Server {
    is: Arc<Mutex<Is>>,
    asked: Arc<AtomicU32>,
    circuit: Circuit,
}

impl Server {
    fn new(is: Is) -> Self {
        let settings = CircuitSettings::new(Trip::consecutive(3));
        Self { is: Arc::new(Mutex::new(is)), asked: Arc::default(), circuit: Circuit::new(settings) }
    }

    fn now(&self, is: Is) {
        *self.is.lock().expect("nothing panics under it") = is;
    }

    /// How often it has been asked since this was last called.
    fn asked(&self) -> u32 {
        self.asked.swap(0, Relaxed)
    }

    fn member(
        &self,
    ) -> impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError, Future: Send>
    + Clone
    + Send
    + 'static
    + use<> {
        let Self { is, asked, circuit } = self.clone();
        let client = service_fn(move |request: Request<Full<Bytes>>| {
            asked.fetch_add(1, Relaxed);
            let is = *is.lock().expect("nothing panics under it");
            async move {
                let Ok(_) = request.into_body().collect().await;
                let (status, body) = match is {
                    Is::Up([x, y]) => (200, format!(r#"{{"data":[{{"embedding":[{x},{y}]}}]}}"#)),
                    Is::Down => (503, String::new()),
                    Is::Saying(status) => (status, String::new()),
                    Is::Hanging => pending().await,
                };
                let mut answer = Response::new(Full::<Bytes>::from(body));
                *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
                Ok::<_, Infallible>(answer)
            }
        });
        let http = ServiceBuilder::new().layer(ClassifyLayer::new(Providers)).layer(CollectLayer::new(1_000));
        ServiceBuilder::new()
            .layer(BreakerLayer::new(circuit))
            .layer(TimeoutLayer::new(20 * SECOND))
            .service(Embeddings::new(http.service(client), Endpoint::openai("http://localhost:1/v1").expect("a URL")))
    }
}

fn request() -> EmbedRequest {
    EmbedRequest::new("m", ["a fair wind"])
}

/// As it was stored when all was well.
async fn fingerprint() -> Fingerprint {
    let member = Server::new(Is::Up(OURS)).member();
    Family::new("m", 2).fingerprint("probe", member).await.expect("it answers")
}

/// A list of `servers`, whose vectors are all of one family.
async fn list(
    servers: &[Server],
) -> impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError, Future: Send> + Clone + Send + 'static + use<>
{
    let fingerprint = fingerprint().await;
    FailoverLayer::new(servers[1..].iter().map(Server::member).collect::<Vec<_>>())
        .replay(Idempotent)
        .within(60 * SECOND)
        .fits(move |member| fingerprint.check(member))
        .layer(servers[0].member())
}

fn vector(answer: &EmbedResponse) -> [f32; 2] {
    answer.vectors().next().expect("one").try_into().expect("two numbers")
}

#[tokio::test(start_paused = true)]
async fn a_dead_first_member_is_stood_in_for_by_one_of_its_family_and_by_no_other() {
    let servers = [Is::Down, Is::Up(ANOTHERS), Is::Up(OURS)].map(Server::new);
    let service = list(&servers).await;
    for _ in 0..10 {
        let answer = service.clone().oneshot(request()).await.expect("the third answers");
        assert_eq!(vector(&answer), OURS);
    }
    // Three failures open the circuit; the second answers the call and the check; the third is checked once.
    assert_eq!(servers.each_ref().map(Server::asked), [3, 2, 11]);
    assert_eq!(servers[0].circuit.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_as_another_model_is_not_used() {
    let servers = [Is::Up(OURS), Is::Up(OURS)].map(Server::new);
    let service = list(&servers).await;
    let ask = async || service.clone().oneshot(request()).await;
    assert_eq!(vector(&ask().await.expect("the first answers")), OURS);
    servers[0].now(Is::Down);
    for _ in 0..5 {
        assert_eq!(vector(&ask().await.expect("the second answers")), OURS);
    }
    servers[0].now(Is::Up(ANOTHERS));
    for _ in 0..60 {
        time::advance(SECOND).await;
        assert_eq!(vector(&ask().await.expect("the second answers")), OURS);
    }
    servers[0].now(Is::Up(OURS));
    time::advance(60 * SECOND).await;
    let _ = servers.each_ref().map(Server::asked);
    assert_eq!(vector(&ask().await.expect("the first answers")), OURS);
    assert_eq!(servers.each_ref().map(Server::asked), [2, 0], "the call and its check");
    // Nor is it where the others are down.
    servers[1].now(Is::Down);
    servers[0].now(Is::Down);
    ask().await.expect_err("both are down");
    servers[0].now(Is::Up(ANOTHERS));
    let error = ask().await.expect_err("one is of another family, the other down");
    assert_eq!(error.verdict().class(), Class::Transient);
}

#[tokio::test(start_paused = true)]
async fn nothing_fails_under_load_while_the_first_member_dies_hangs_throttles_or_loses_its_key() {
    for trouble in [Is::Down, Is::Hanging, Is::Saying(429), Is::Saying(401), Is::Saying(402), Is::Saying(500)] {
        let servers = [Is::Up(OURS), Is::Up(OURS)].map(Server::new);
        let (fingerprint, budget) = (fingerprint().await, Budget::default());
        let service = ServiceBuilder::new()
            .layer(
                RetryLayer::new(Backoff::exponential(SECOND / 10))
                    .replay(Idempotent)
                    .within(60 * SECOND)
                    .budget(budget.clone()),
            )
            .layer(
                FailoverLayer::new([servers[1].member()])
                    .replay(Idempotent)
                    .within(60 * SECOND)
                    .budget(budget.clone())
                    .fits(move |member| fingerprint.check(member)),
            )
            .service(servers[0].member());
        for round in 0..60 {
            if round == 30 {
                servers[0].now(trouble);
            }
            let mut calls = JoinSet::new();
            for _ in 0..4 {
                calls.spawn(service.clone().oneshot(request()));
            }
            for outcome in calls.join_all().await {
                assert_eq!(vector(&outcome.unwrap_or_else(|error| panic!("{trouble:?}: {error}"))), OURS);
            }
            time::advance(SECOND / 20).await;
        }
        let left = budget.snapshot();
        assert!(left.retries > left.capacity / 2.0, "{trouble:?}: a failover that helps costs nothing: {left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hang_costs_no_more_than_its_share_and_the_retry_above_keeps_its_time() {
    let servers = [Is::Hanging, Is::Up(OURS)].map(Server::new);
    let began = Instant::now();
    let stack = TimeoutLayer::new(60 * SECOND).layer(list(&servers).await);
    stack.oneshot(request()).await.expect("the second answers");
    assert_eq!(began.elapsed(), 20 * SECOND, "the limit of an attempt is smaller than half of the time");
}

#[tokio::test(start_paused = true)]
async fn under_a_preset_that_marks_its_attempts_each_of_them_goes_to_both() {
    let servers = [Is::Down, Is::Down].map(Server::new);
    let preset = Preset::interactive();
    let error = preset.layer(list(&servers).await).oneshot(request()).await.expect_err("both are down");
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    // Until both circuits are open, after three failures each.
    assert_eq!(servers.each_ref().map(Server::asked), [3, 3]);
    servers[1].now(Is::Up(OURS));
    time::advance(60 * SECOND).await;
    preset.layer(list(&servers).await).oneshot(request()).await.expect("the second answers");
}

#[tokio::test(start_paused = true)]
async fn with_an_empty_budget_a_failed_call_stays_with_its_server_and_an_open_circuit_is_still_stepped_over() {
    let servers = [Is::Down, Is::Up(OURS)].map(Server::new);
    let budget = Budget::new(BudgetSettings::ratio(0.0).floor(0));
    let service = FailoverLayer::new([servers[1].member()]).budget(budget).layer(servers[0].member());
    for _ in 0..3 {
        service.clone().oneshot(request()).await.expect_err("nobody pays");
    }
    assert_eq!(servers.each_ref().map(Server::asked), [3, 0]);
    for _ in 0..3 {
        service.clone().oneshot(request()).await.expect("the first is known to be down");
    }
    assert_eq!(servers.each_ref().map(Server::asked), [0, 3]);
}

#[tokio::test(start_paused = true)]
async fn readiness_chooses_where_open_circuits_are_not_ready() {
    let servers = [Is::Up(OURS), Is::Up(OURS)].map(Server::new);
    let waiting = |server: &Server| {
        let breaker = BreakerLayer::new(server.circuit.clone()).pending_while_open();
        breaker.layer(server.member())
    };
    let mut list = FailoverLayer::new([waiting(&servers[1])]).layer(waiting(&servers[0]));
    servers[0].circuit.force_open();
    list.ready().await.expect("the second is ready").call(request()).await.expect("it answers");
    assert_eq!(servers.each_ref().map(Server::asked), [0, 1]);
    servers[0].circuit.force_closed();
    list.ready().await.expect("the first is ready").call(request()).await.expect("it answers");
    assert_eq!(servers.each_ref().map(Server::asked), [1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_the_request_stays_with_the_server_it_was_sent_to() {
    let servers = [Is::Down, Is::Up(OURS)].map(Server::new);
    let secret = request().header("authorization", "Bearer hunter2").expect("a header");
    list(&servers).await.oneshot(secret).await.expect_err("the other is none of its business");
    assert_eq!(servers.each_ref().map(Server::asked), [1, 0]);
}

#[tokio::test(start_paused = true)]
async fn each_step_to_another_server_is_logged_and_each_that_does_not_fit() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_writer(move || writer.clone());
    // While there is just one, a thread without it that comes first to an event turns that event off for all.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    let _logging = tracing::subscriber::set_default(subscriber.finish());

    let servers = [Is::Down, Is::Up(ANOTHERS), Is::Up(OURS)].map(Server::new);
    let service = list(&servers).await;
    for _ in 0..2 {
        service.clone().oneshot(request()).await.expect("the third answers");
    }
    let text = String::from_utf8(log.0.lock().expect("nobody panics").clone()).expect("text");
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ours = lines.iter().filter(|line| line["target"] == "trysail::failover").map(|line| {
        let field = |name: &str| line["fields"][name].as_str().expect("a field").to_owned();
        (field("message"), line["fields"]["member"].as_u64(), field("class"))
    });
    let said = |message: &str, member, class: &str| (message.to_owned(), Some(member), class.to_owned());
    assert_eq!(
        ours.collect::<Vec<_>>(),
        [
            said("failover", 0, "transient"),
            said("member does not fit", 1, "malformed"),
            said("failover", 1, "malformed"),
            said("failover", 0, "transient"),
        ]
    );
    assert!(!text.contains("wind"), "inputs are not logged");
}
