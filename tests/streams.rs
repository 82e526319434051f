//! A hyper client whose answers are streams, judged by status: the policies ask nothing of the body.

use std::{
    any::type_name_of_val,
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{body::Body, extract::State};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, channel::Channel};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{net::TcpListener, sync::mpsc};
use tower::{Service, ServiceBuilder, ServiceExt};
use trysail::{
    Breaker, BreakerLayer, ByStatus, Circuit, Class, Classified, Classify, ClassifyLayer, Failure, Retry, RetryLayer,
    Timeout, TimeoutLayer, Trip, breaker,
    retry::PerRequest,
    transport::Idempotent,
    verdict::{Inherit, Scope},
};

const MS: Duration = Duration::from_millis(1);

/// No `Bytes` in a request, and none in an answer.
type Sent = Request<Empty<&'static [u8]>>;
type Hyper = Client<HttpConnector, Empty<&'static [u8]>>;
/// Nothing is boxed, nothing is collected, and no table of providers is asked.
type Streaming =
    Timeout<Retry<Breaker<Timeout<Classify<Hyper, ByStatus>>>, [Duration; 3], Inherit, PerRequest<Idempotent>>>;

fn streaming(circuit: &Circuit) -> Streaming {
    ServiceBuilder::new()
        .layer(TimeoutLayer::new(60_000 * MS))
        .layer(RetryLayer::new([MS; 3]).replay(Idempotent))
        .layer(BreakerLayer::new(circuit.clone()))
        .layer(TimeoutLayer::new(20_000 * MS))
        .layer(ClassifyLayer::new(ByStatus::default().on(StatusCode::LOCKED, trysail::Verdict::TRANSIENT)))
        .service(Client::builder(TokioExecutor::new()).build_http())
}

#[tokio::test]
async fn a_stream_is_repeated_by_its_status_and_handed_on_at_its_head() {
    let mut server = Server::start([503, 423, 200]).await;
    let circuit = Circuit::new(Trip::consecutive(3));
    let mut service = streaming(&circuit);
    let call = service.ready().await.expect("ready").call(server.get());
    let names = [type_name_of_val(&service), type_name_of_val(&call)];
    for name in names {
        for other in ["Bytes", "Providers", "Box<", "dyn "] {
            assert!(!name.contains(other), "{other} in {name}");
        }
    }

    let answer: Response<Incoming> = call.await.expect("the third try is good");
    assert_eq!((answer.status(), server.requests()), (StatusCode::OK, 3));
    // The head is here and the rest is not: it is sent from now on.
    let (mut sender, mut body) = (server.body.recv().await.expect("an answer has begun"), answer.into_body());
    for piece in ["one", "two"] {
        sender.send_data(Bytes::from(piece)).await.expect("somebody reads");
        let frame = body.frame().await.expect("there is more").expect("it is whole");
        assert_eq!(frame.into_data().expect("data"), piece);
    }
    // What becomes of the body is neither repeated nor counted.
    sender.abort(io::Error::other("broken"));
    assert!(body.frame().await.expect("an end").is_err());
    assert_eq!((server.requests(), circuit.state()), (3, breaker::State::Closed));
}

#[tokio::test]
async fn a_circuit_opens_by_the_statuses_of_streams() {
    let server = Server::start([503, 429, 503, 503]).await;
    let circuit = Circuit::new(Trip::consecutive(3));
    let mut service = streaming(&circuit);
    let failed = service.ready().await.expect("ready").call(server.get()).await.expect_err("three were bad");
    // The last answer of the server, as it came.
    assert_eq!((failed.verdict().class(), failed.status()), (Class::Transient, Some(503)));
    assert_eq!((server.requests(), circuit.state()), (4, breaker::State::Open));
    let refused = service.ready().await.expect("ready").call(server.get()).await.expect_err("it is open");
    assert!(matches!(refused, Failure::Open(_)), "{refused:?}");
    assert_eq!(server.requests(), 4);
}

#[tokio::test]
async fn what_no_retry_mends_is_asked_once() {
    for status in [400, 401, 404, 501] {
        let server = Server::start([status, 200]).await;
        let failed = streaming(&Circuit::new(Trip::default())).oneshot(server.get()).await.expect_err("it failed");
        assert_eq!((failed.status(), server.requests()), (Some(status), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_does_not_begin_is_given_up_at_the_limit_of_an_attempt() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut request = Server::request(listener.local_addr().expect("an address"));
    // Once, for it may change something.
    *request.method_mut() = Method::POST;
    let failed = streaming(&Circuit::new(Trip::default())).oneshot(request).await.expect_err("nobody answers");
    let Failure::Elapsed(elapsed) = failed else { panic!("{failed:?}") };
    assert_eq!((elapsed.scope(), elapsed.limit()), (Scope::Call, 20_000 * MS));
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_transient() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let request = Server::request(listener.local_addr().expect("an address"));
    drop(listener);
    let failed = streaming(&Circuit::new(Trip::default())).oneshot(request).await.expect_err("nobody is there");
    assert_eq!(failed.verdict().class(), Class::Transient);
}

/// Answers with these statuses in turn; a 200 has a body that the test sends.
struct Server {
    address: SocketAddr,
    statuses: Arc<Mutex<Script>>,
    body: mpsc::UnboundedReceiver<Sender>,
}

type Sender = http_body_util::channel::Sender<Bytes, io::Error>;

struct Script {
    left: Vec<u16>,
    requests: usize,
    bodies: mpsc::UnboundedSender<Sender>,
}

impl Server {
    async fn start(statuses: impl IntoIterator<Item = u16>) -> Self {
        let (bodies, body) = mpsc::unbounded_channel();
        let mut left = statuses.into_iter().collect::<Vec<_>>();
        left.reverse();
        let statuses = Arc::new(Mutex::new(Script { left, requests: 0, bodies }));
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&statuses));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, statuses, body }
    }

    fn requests(&self) -> usize {
        self.statuses.lock().expect("nobody panics").requests
    }

    fn get(&self) -> Sent {
        Self::request(self.address)
    }

    fn request(address: SocketAddr) -> Sent {
        Request::get(format!("http://{address}/")).body(Empty::new()).expect("a request")
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>) -> Result<Response<Body>, Infallible> {
    let mut script = script.lock().expect("nobody panics");
    script.requests += 1;
    let status = script.left.pop().unwrap_or(500);
    let body = if status == 200 {
        let (sender, body) = Channel::<Bytes, io::Error>::new(1);
        let _ = script.bodies.send(sender);
        Body::new(body)
    } else {
        Body::empty()
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    Ok(response)
}
