//! The ready-made client against servers, proxies and ports that hang, on loopback.

#![cfg(feature = "client")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    convert::Infallible,
    error::Error,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::RootCertStore;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{self, Instant},
};
use tower_layer::Layer;
use tower_service::Service;
use trysail_core::{Class, Classified, Elapsed, Health, OneLine, Phase, Retryable, Scope, Verdict};
use trysail_http::{Client, CollectError, CollectLayer, ConnectTimeout};

type Body = Full<Bytes>;

#[tokio::test]
async fn a_port_that_is_none_is_refused() {
    for address in ["http://127.0.0.1:99999/", "http://127.0.0.1:/", "http://127.0.0.1:80x/"] {
        let request = http::Request::get(address).body(Body::default()).unwrap();
        let mut client = Client::builder().no_proxy().build::<Body>();
        let error = client.call(request).await.unwrap_err();
        let error = CollectError::<_, Infallible>::Client(error);
        assert_eq!(error.verdict().class(), Class::Permanent, "{address}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start(OK).await;
    let mut client: Client<Body> = Client::builder().no_proxy().build();
    for _ in 0..2 {
        assert_eq!(text(client.call(get(&server.url("/"))).await.unwrap()).await, "ok");
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(server.heads().len(), 2);
}

#[tokio::test]
async fn plain_http_goes_to_the_proxy_in_absolute_form() {
    let proxy = Server::start(OK).await;
    let with_credentials: Uri = format!("http://user:hunter2@{}", proxy.address).parse().unwrap();
    let mut client: Client<Body> = Client::builder().proxy(&with_credentials).build();
    let response = client.call(get("http://embeddings.test/v1/models?x=1")).await.unwrap();
    assert_eq!(text(response).await, "ok");

    let head = &proxy.heads()[0];
    assert!(head.starts_with("GET http://embeddings.test/v1/models?x=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("host: embeddings.test\r\n"), "{head}");
    assert!(head.contains("proxy-authorization: Basic dXNlcjpodW50ZXIy\r\n"), "{head}");
    assert!(!format!("{client:?}").contains("hunter2"));
}

#[tokio::test]
async fn https_asks_the_proxy_for_a_tunnel() {
    let proxy = Server::start(DENIED).await;
    let with_credentials: Uri = format!("http://user:hunter2@{}", proxy.address).parse().unwrap();
    let builder = Client::builder().roots(RootCertStore::empty()).proxy(&with_credentials);
    let error = fail(builder.build(), "https://embeddings.test/").await;

    let head = &proxy.heads()[0];
    assert!(head.starts_with("CONNECT embeddings.test:443 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic dXNlcjpodW50ZXIy\r\n"), "{head}");
    assert!(!head.contains("GET"), "{head}");
    assert_eq!(judge(&error), Verdict::AUTH.neutral());
    assert!(!format!("{error:?} {}", spelled(&error)).contains("hunter2"));
}

#[tokio::test]
async fn a_proxy_that_is_not_http_is_refused() {
    let error =
        fail(Client::builder().proxy(&"socks5://127.0.0.1:9".parse().unwrap()).build(), "http://embeddings.test").await;
    assert_eq!(judge(&error), Verdict::PERMANENT.neutral());
    assert!(spelled(&error).contains("only http and https proxies"), "{}", spelled(&error));
}

#[tokio::test]
async fn what_a_proxy_does_not_do_is_told_of_the_proxy_and_without_its_password() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut cases = vec![
        // Nobody is there.
        (nobody, HTTPS, "cannot be reached", Verdict::TRANSIENT),
        (nobody, HTTP, "cannot be reached", Verdict::TRANSIENT),
    ];
    for (answer, url, words, verdict) in [
        (DENIED, HTTPS, "wants another user and password (407)", Verdict::AUTH.neutral()),
        (DENIED, HTTP, "wants another user and password (407)", Verdict::AUTH.neutral()),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", HTTPS, "does not connect to embeddings.test (403)", PERMANENT),
        ("HTTP/1.0 405 No\r\nallow: GET\r\n\r\n", HTTPS, "does not connect to embeddings.test (405)", PERMANENT),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", HTTPS, "cannot reach embeddings.test (502)", Verdict::TRANSIENT),
        ("HTTP/1.1 504 Late\r\n\r\nlate", HTTPS, "cannot reach embeddings.test (504)", Verdict::TRANSIENT),
        ("SSH-2.0-OpenSSH_9.6\r\n", HTTPS, "does not answer as a proxy does", PERMANENT),
        ("\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{16}", HTTPS, "does not answer as a proxy does", PERMANENT),
        ("HTTP/1.1 2000 OK\r\n\r\n", HTTPS, "does not answer as a proxy does", PERMANENT),
        ("HTTP/1.1 200 OK\r\n", HTTPS, "broke off", Verdict::TRANSIENT),
        ("", HTTPS, "broke off", Verdict::TRANSIENT),
    ] {
        cases.push((Server::start(answer).await.address, url, words, verdict));
    }
    for (proxy, url, words, verdict) in cases {
        let with_credentials = format!("http://user:hunter2@{proxy}").parse().unwrap();
        let client = Client::builder().roots(RootCertStore::empty()).proxy(&with_credentials).build();
        let error = fail(client, url).await;
        let said = OneLine(&error).to_string();
        assert!(said.starts_with(&format!("the proxy http://{proxy} {words}")), "{said}");
        assert_eq!(judge(&error), verdict, "{said}");
        assert!(!format!("{error:?} {}", spelled(&error)).contains("hunter2"));
        // What a proxy suffers from is not taken for the server's.
        assert!(!chain(&error).any(|link| link.is::<std::io::Error>()), "{}", spelled(&error));
    }
}

#[tokio::test]
async fn a_tunnel_carries_what_is_said_in_it() {
    let proxy = Server::start("HTTP/1.1 200 Connection established\r\nx: y\r\n\r\n").await;
    let with_credentials = format!("http://{}", proxy.address).parse().unwrap();
    let client = Client::builder().roots(RootCertStore::empty()).proxy(&with_credentials).build();
    let error = fail(client, HTTPS).await;
    // It was opened, and then nobody answered in it.
    assert!(error.to_string().ends_with(&format!(", through the proxy http://{}", proxy.address)), "{error}");
    assert_eq!(judge(&error), Verdict::TRANSIENT, "{error}");
    assert!(!proxy.heads()[0].contains("Authorization"), "{}", proxy.heads()[0]);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_named() {
    let error = fail(Client::builder().no_proxy().build(), "http://nobody.invalid/v1").await;
    let said = OneLine(&error).to_string();
    assert!(said.starts_with("the name nobody.invalid does not resolve"), "{said}");
    // It may yet.
    assert_eq!(judge(&error), Verdict::TRANSIENT, "{said}");
    let proxy = "http://user:hunter2@nobody.invalid:3128".parse().unwrap();
    let said = fail(Client::builder().proxy(&proxy).build(), "http://embeddings.test/").await.to_string();
    assert!(
        said.starts_with("the proxy http://nobody.invalid:3128 cannot be reached: the name nobody.invalid"),
        "{said}"
    );
}

#[tokio::test]
async fn tls_to_a_plain_port_is_the_wrong_address() {
    let server = Server::start("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let client = Client::builder().no_proxy().roots(RootCertStore::empty()).build();
    let error = fail(client, &server.url("/").replace("http:", "https:")).await;
    let verdict = judge(&error);
    assert_eq!((verdict.class(), verdict.retry()), (Class::Permanent, Retryable::No), "{}", spelled(&error));
    assert_eq!(verdict.health(), Health::Neutral);
    assert!(error.to_string().starts_with("that port does not speak https: write http:// instead"), "{error}");
}

#[tokio::test]
async fn a_request_without_an_address_is_unusable() {
    let error = fail(Client::builder().no_proxy().build(), "/v1/embeddings").await;
    assert_eq!(judge(&error), Verdict::PERMANENT.neutral());
    let error = fail(Client::builder().no_proxy().build(), "ftp://127.0.0.1/").await;
    assert_eq!(judge(&error), Verdict::PERMANENT.neutral());
}

#[tokio::test]
async fn a_refused_connection_is_transient() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = fail(Client::builder().no_proxy().build(), &format!("http://{address}/")).await;
    assert_eq!(judge(&error), Verdict::TRANSIENT);
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_hangs_ends_at_its_limit() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts, so that these fill the backlog and the next one hangs.
    let mut pending = Vec::new();
    while let Ok(Ok(stream)) = time::timeout(Duration::from_secs(1), TcpStream::connect(address)).await {
        pending.push(stream);
    }
    let started = Instant::now();
    let error = fail(Client::builder().no_proxy().build(), &format!("http://{address}/")).await;
    assert_eq!(started.elapsed(), Duration::from_millis(3_100));
    assert_eq!(judge(&error), Verdict::TRANSIENT);
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let elapsed = causes.filter_map(|cause| cause.downcast_ref::<Elapsed>()).next().unwrap();
    assert_eq!((elapsed.scope(), elapsed.limit()), (Scope::Connect, Duration::from_millis(3_100)));
}

#[tokio::test(start_paused = true)]
async fn a_connect_limit_of_zero_connects_to_nothing() {
    let connector = |_: Uri| -> std::future::Ready<Result<(), Infallible>> { panic!("called") };
    let mut connect = ConnectTimeout::new(Connector(connector)).limit(Duration::ZERO);
    let error = connect.call(Uri::from_static("http://a")).await.unwrap_err();
    assert_eq!(error.downcast::<Elapsed>().unwrap().phase(), Phase::Refused);
}

#[tokio::test]
async fn a_server_that_hangs_up_before_answering_is_transient() {
    let server = Server::start("").await;
    let error = fail(Client::builder().no_proxy().build(), &server.url("/")).await;
    assert_eq!(judge(&error), Verdict::TRANSIENT, "{}", spelled(&error));
    // Some servers of https do that to whoever speaks http.
    assert!(error.to_string().contains("if it speaks https, write https://"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_malformed() {
    let server = Server::start("SSH-2.0-OpenSSH_9.6\r\n\r\n").await;
    let error = fail(Client::builder().no_proxy().build(), &server.url("/")).await;
    assert_eq!(judge(&error).class(), Class::Malformed, "{}", spelled(&error));
    assert!(error.to_string().starts_with("what answers there does not speak HTTP"), "{error}");
}

#[tokio::test]
async fn a_garbled_head_of_a_server_that_has_answered_before_is_transient() {
    let garbled = [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "HTTP/1.1 2xx OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\0: x\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "\u{1}\u{2}\u{3}\u{4}\r\n\r\n",
        "{\"data\":[]}\r\n\r\n",
        "200 OK\r\n\r\n",
        "ok HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n",
    ];
    for head in garbled {
        let address = script(vec![vec![OK, head], vec![head, head]]).await;
        let url = format!("http://{address}/");
        let mut client: Client<Body> = Client::builder().no_proxy().build();
        assert_eq!(text(client.call(get(&url)).await.unwrap()).await, "ok");
        // On the same connection, on a new one, and through a clone.
        for _ in 0..3 {
            let error = fail(client.clone(), &url).await;
            assert_eq!(judge(&error), Verdict::TRANSIENT, "{head:?}: {}", spelled(&error));
        }
        // Another client, or another address, has not been answered yet.
        let error = fail(Client::builder().no_proxy().build(), &url).await;
        assert_eq!(judge(&error), Verdict::MALFORMED.once().neutral(), "{head:?}: {}", spelled(&error));
        let other = script(vec![vec![head]]).await;
        let error = fail(client, &format!("http://{other}/")).await;
        assert_eq!(judge(&error), Verdict::MALFORMED.once().neutral(), "{head:?}: {}", spelled(&error));
    }
}

#[tokio::test]
async fn a_body_cut_before_its_declared_end_is_transient() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\"",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n",
    ] {
        let server = Server::start(answer).await;
        let error = fail(Client::builder().no_proxy().build(), &server.url("/")).await;
        assert!(matches!(error, CollectError::Body(_)));
        assert_eq!(judge(&error), Verdict::TRANSIENT, "{}", spelled(&error));
    }
}

#[tokio::test]
async fn a_request_that_was_never_begun_is_unsent() {
    let (near, far) = duplex(1_024);
    let (mut sender, connection) = http1::handshake::<_, Body>(TokioIo::new(near)).await.unwrap();
    let answer = sender.send_request(get("/"));
    drop((connection, far));
    let error: CollectError<_, hyper::Error> = CollectError::Client(answer.await.unwrap_err());
    assert_eq!(error.verdict(), Verdict::TRANSIENT.unsent());
    assert_eq!(error.verdict().retry(), Retryable::Unsent);
}

#[tokio::test]
async fn a_server_that_hangs_up_on_every_connection_is_unhealthy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let error = fail(Client::builder().no_proxy().build(), &url).await;
    assert_eq!(judge(&error).health(), Health::Failure, "{}", spelled(&error));
    assert_ne!(judge(&error).retry(), Retryable::No);
}

#[tokio::test]
async fn a_stream_that_the_peer_did_not_begin_is_unsent() {
    let refused = http2(|respond| respond.send_reset(h2::Reason::REFUSED_STREAM)).await;
    assert_eq!(refused, Verdict::TRANSIENT.unsent());
    let broken = http2(|respond| respond.send_reset(h2::Reason::INTERNAL_ERROR)).await;
    assert_eq!(broken, Verdict::TRANSIENT);
    let calmed = http2(|respond| respond.send_reset(h2::Reason::ENHANCE_YOUR_CALM)).await;
    assert_eq!(calmed, Verdict::THROTTLED);
}

#[tokio::test]
async fn a_stream_beyond_the_last_of_a_goaway_is_unsent() {
    let (near, mut far) = duplex(1 << 16);
    let (mut sender, connection) =
        http2::handshake::<_, _, Body>(TokioExecutor::new(), TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    let answer = tokio::spawn(sender.send_request(get("http://a/")));
    // Empty settings, then GOAWAY with no stream begun and no error.
    far.write_all(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut preface = [0; 24];
    far.read_exact(&mut preface).await.unwrap();
    tokio::task::yield_now().await;
    far.write_all(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0").await.unwrap();
    let error: CollectError<_, hyper::Error> = CollectError::Client(answer.await.unwrap().unwrap_err());
    assert_eq!(error.verdict(), Verdict::TRANSIENT.unsent(), "{}", spelled(&error));
}

#[tokio::test]
async fn calm_is_the_servers_word_only_if_the_server_said_it() {
    const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
    // Headers that never end: it is our h2 that has had enough.
    let mut flood = [SETTINGS, b"\0\0\x01\x01\0\0\0\0\x01\x88"].concat();
    for _ in 0..10_000 {
        flood.extend_from_slice(b"\0\0\x01\x09\0\0\0\0\x01\x88");
    }
    assert_eq!(raw(flood).await, Verdict::TRANSIENT);
    // A GOAWAY of the server's: last stream 0, ENHANCE_YOUR_CALM.
    let said = raw([SETTINGS, b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0b"].concat()).await;
    assert_eq!(said, Verdict::THROTTLED);
    // And a RST_STREAM of its own.
    let said = raw([SETTINGS, b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x0b"].concat()).await;
    assert_eq!(said, Verdict::THROTTLED);
    for reason in [h2::Reason::ENHANCE_YOUR_CALM, h2::Reason::PROTOCOL_ERROR] {
        let error: CollectError<h2::Error, h2::Error> = CollectError::Client(reason.into());
        assert_eq!(error.verdict(), Verdict::TRANSIENT);
    }
}

/// What is made of a peer that says these bytes once it has the request.
async fn raw(bytes: Vec<u8>) -> Verdict {
    let (near, mut far) = duplex(1 << 20);
    let (mut sender, connection) =
        http2::handshake::<_, _, Body>(TokioExecutor::new(), TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    let answer = tokio::spawn(sender.send_request(get("http://a/")));
    far.read_exact(&mut [0; 24]).await.unwrap();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    // It may have heard enough before the end.
    let _ = far.write_all(&bytes).await;
    let error: CollectError<_, hyper::Error> = CollectError::Client(answer.await.unwrap().unwrap_err());
    error.verdict()
}

/// What is made of a server that answers a stream by `end`.
async fn http2(end: fn(&mut h2::server::SendResponse<Bytes>)) -> Verdict {
    let (near, far) = duplex(1 << 16);
    let (mut sender, connection) =
        http2::handshake::<_, _, Body>(TokioExecutor::new(), TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    tokio::spawn(async move {
        let mut server = h2::server::handshake(far).await.unwrap();
        while let Some(Ok((_, mut respond))) = server.accept().await {
            end(&mut respond);
        }
    });
    let error: CollectError<_, hyper::Error> =
        CollectError::Client(sender.send_request(get("http://a/")).await.unwrap_err());
    error.verdict()
}

const HTTP: &str = "http://embeddings.test/v1";
const HTTPS: &str = "https://embeddings.test/v1";
const PERMANENT: Verdict = Verdict::PERMANENT.neutral();
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const DENIED: &str = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";

type ClientError = CollectError<trysail_http::ClientError, trysail_http::BodyError>;

async fn fail(client: Client<Body>, url: &str) -> ClientError {
    CollectLayer::new(1 << 20).layer(client).call(get(url)).await.unwrap_err()
}

fn judge(error: &ClientError) -> Verdict {
    error.verdict()
}

fn get(url: &str) -> Request<Body> {
    Request::get(url).body(Full::default()).unwrap()
}

async fn text(response: Response<trysail_http::client::AnswerBody>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

/// An error and all of its causes.
fn spelled(error: &(dyn Error + 'static)) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

#[derive(Clone, Copy)]
struct Connector<F>(F);

impl<F, R> Service<Uri> for Connector<F>
where
    F: FnMut(Uri) -> R,
    R: Future<Output = Result<(), Infallible>>,
{
    type Response = ();
    type Error = Infallible;
    type Future = R;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: Uri) -> R {
        (self.0)(destination)
    }
}

/// Answers each request head with the same text, and hangs up after any but a whole one.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { address: listener.local_addr().unwrap(), connections: Arc::default(), heads: Arc::default() };
        let (connections, heads) = (server.connections.clone(), server.heads.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, answer, heads.clone()));
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// A server that says these words on its first connection, one to a request, and those of the last on all later ones.
async fn script(connections: Vec<Vec<&'static str>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for connection in 0.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let answers = connections[connection.min(connections.len() - 1)].clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4_096];
                for answer in answers {
                    if matches!(stream.read(&mut buffer).await, Ok(0) | Err(_)) {
                        return;
                    }
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    address
}

async fn serve(mut stream: TcpStream, answer: &str, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        // What is no request in text is answered as it comes.
        while !head.ends_with(b"\r\n\r\n") && head.first().is_none_or(u8::is_ascii_alphabetic) {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(n) => head.extend_from_slice(&buffer[..n]),
            }
        }
        heads.lock().unwrap().push(String::from_utf8_lossy(&std::mem::take(&mut head)).into_owned());
        if stream.write_all(answer.as_bytes()).await.is_err() || answer != OK {
            return;
        }
    }
}
