//! Where a server that points elsewhere is followed to, and where nothing is sent.

#![cfg(feature = "client")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header::AUTHORIZATION};
use http_body_util::Full;
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower_service::Service;
use tower_test::mock;
use trysail_http::{Client, Deadline, NotFollowed, RedirectLayer, client::AnswerBody};

const KEY: &str = "Bearer hunter2";
const HERE: &str = "http://a.test/v1/embeddings";
const SECURE: &str = "https://a.test/v1/embeddings";

#[tokio::test]
async fn a_307_or_308_is_followed_inside_its_origin_and_the_body_goes_along() {
    for (from, location, to) in [
        (HERE, "http://a.test/v1/embeddings/", "http://a.test:80/v1/embeddings/"),
        (HERE, "http://A.TEST:80/v2/embeddings", "http://a.test:80/v2/embeddings"),
        (HERE, "/v2/embeddings?a=b", "http://a.test:80/v2/embeddings?a=b"),
        (HERE, "embeddings/", "http://a.test:80/v1/embeddings/"),
        (HERE, "?a=b", "http://a.test:80/v1/embeddings?a=b"),
        (HERE, "//a.test/v1/embeddings/", "http://a.test:80/v1/embeddings/"),
        (HERE, "/v1/embeddings/#part", "http://a.test:80/v1/embeddings/"),
        ("http://a.test:8080/v1", "http://a.test:8080/v2", "http://a.test:8080/v2"),
        (SECURE, "https://a.test:443/v1/embeddings/", "https://a.test:443/v1/embeddings/"),
        (SECURE, "../v2", "https://a.test:443/v2"),
        // The port of the one and that of the other, so that it is the same server.
        (HERE, "https://a.test/v1/embeddings", "https://a.test:443/v1/embeddings"),
        ("http://a.test:80/v1", "https://a.test:443/v1", "https://a.test:443/v1"),
    ] {
        for status in [307, 308] {
            let net = Net::start([(from, answer(status, &[location]))]).await;
            let response = net.ask(from).await;
            assert_eq!(response.status(), 200, "{from} to {location}: {:?}", not_followed(&response));
            assert!(not_followed(&response).is_none());
            let seen = net.seen();
            assert_eq!(seen.len(), 2, "{from} to {location}: {seen:?}");
            assert_eq!(seen[1].url.to_ascii_lowercase(), to, "{from} to {location}");
            assert!(seen.iter().all(|one| one.holds_key && one.body == "the body"), "{from} to {location}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn the_key_never_leaves_its_origin_in_any_redirect() {
    for (from, location) in [
        // Another port.
        (HERE, "http://a.test:8080/v1/embeddings"),
        ("http://a.test:8080/v1", "http://a.test/v1"),
        (SECURE, "https://a.test:8443/v1"),
        // Another host: one below it, above it, beside it, and one that only looks like it.
        (HERE, "http://www.a.test/v1/embeddings"),
        ("http://www.a.test/", "http://a.test/"),
        (HERE, "http://b.test/v1/embeddings"),
        (SECURE, "https://b.test/v1/embeddings"),
        (HERE, "http://a.test./v1/embeddings"),
        (HERE, "http://a.test.b.test/v1/embeddings"),
        (HERE, "http://b.test/http://a.test/"),
        (HERE, "http://b.test\\@a.test/"),
        (HERE, "//b.test/v1/embeddings"),
        (HERE, "//a.test:8080/v1/embeddings"),
        ("http://a.test//b.test", "//b.test"),
        // A user.
        (HERE, "http://user:hunter2@a.test/v1/embeddings"),
        (HERE, "http://a.test@b.test/v1/embeddings"),
        (HERE, "http://a.test:80@b.test/v1/embeddings"),
        (HERE, "//user@a.test/"),
        // From https to http.
        (SECURE, "http://a.test/v1/embeddings"),
        (SECURE, "http://a.test:443/v1/embeddings"),
        // From http to https on other ports.
        (HERE, "https://a.test:8443/v1/embeddings"),
        (HERE, "https://a.test:80/v1/embeddings"),
        ("http://a.test:8080/v1", "https://a.test/v1"),
        ("http://a.test:8080/v1", "https://a.test:8080/v1"),
        ("http://a.test:443/v1", "https://a.test:443/v1"),
        // To https on another host.
        (HERE, "https://b.test/v1/embeddings"),
        // What is no address of a server.
        (HERE, "ftp://a.test/v1/embeddings"),
        (HERE, "javascript:alert(1)"),
        (HERE, "http://"),
        (HERE, "http:/v1"),
        (HERE, "http://a.test:99999/"),
        (HERE, "http://a.test:/"),
        (HERE, "http://a b/"),
        (HERE, "/with a space"),
        (HERE, "http://\u{e4}.test/"),
    ] {
        for status in [307, 308, 301, 302, 303] {
            let net = Net::start([(from, answer(status, &[location]))]).await;
            let response = net.ask(from).await;
            assert_eq!(response.status(), status, "{from} to {location}");
            let said = not_followed(&response).expect("it points elsewhere").to_string();
            assert!(!said.contains("hunter2") && !said.contains("user"), "{said}");
            // Not even a connection was made.
            assert_eq!(net.asked(), [absolute(from)], "{from} to {location}");
        }
    }
}

#[tokio::test]
async fn more_than_one_location_or_none_is_followed_nowhere() {
    for (locations, said) in [
        (["/v1/embeddings/", "http://b.test/"].as_slice(), "points to several places at once"),
        (&["http://b.test/", "/v1/embeddings/"], "points to several places at once"),
        (&[], "does not say where to ask instead"),
    ] {
        let net = Net::start([(HERE, answer(308, locations))]).await;
        let response = net.ask(HERE).await;
        assert_eq!(not_followed(&response).unwrap().to_string(), said);
        assert_eq!(net.asked(), ["http://a.test:80/v1/embeddings"]);
    }
}

#[tokio::test]
async fn a_301_302_or_303_is_not_followed_and_says_where_to() {
    for status in [301, 302, 303] {
        let net = Net::start([(HERE, answer(status, &["/v1/embeddings/?key=hunter2&api-version=1"]))]).await;
        let response = net.ask(HERE).await;
        let said = not_followed(&response).unwrap();
        assert_eq!(said.to(), Some("http://a.test/v1/embeddings/?key=…&api-version=1"));
        assert!(!said.is_elsewhere());
        assert_eq!(net.asked(), ["http://a.test:80/v1/embeddings"]);
    }
    for status in [300, 304, 305] {
        let net = Net::start([(HERE, answer(status, &["/v1/embeddings/"]))]).await;
        let response = net.ask(HERE).await;
        assert_eq!(response.status(), status);
        assert!(not_followed(&response).is_none());
    }
}

#[tokio::test]
async fn a_circle_ends_where_it_closes() {
    let net = Net::start([(HERE, answer(307, &["/v1/embeddings"]))]).await;
    let said = not_followed(&net.ask(HERE).await).unwrap().to_string();
    assert_eq!(net.asked().len(), 1);
    assert!(said.contains("circle"), "{said}");

    let there = "http://a.test/v1/embeddings/";
    let net = Net::start([(HERE, answer(308, &[there])), (there, answer(308, &[HERE]))]).await;
    let said = not_followed(&net.ask(HERE).await).unwrap().to_string();
    assert_eq!(net.asked().len(), 2);
    assert!(said.contains("circle"), "{said}");
}

#[tokio::test]
async fn five_in_a_row_are_followed_and_a_sixth_is_not() {
    let chain =
        |length: u32| (0..length).map(|nth| (format!("http://a.test/{nth}"), answer(307, &[&(nth + 1).to_string()])));
    let net = Net::start(chain(5)).await;
    assert_eq!(net.ask("http://a.test/0").await.status(), 200);
    assert_eq!(net.asked().len(), 6);

    let net = Net::start(chain(6)).await;
    let response = net.ask("http://a.test/0").await;
    assert_eq!(response.status(), 307);
    assert_eq!(not_followed(&response).unwrap().to_string(), "points to http://a.test/6, after five redirects");
    assert_eq!(net.asked().len(), 6);
}

#[tokio::test]
async fn what_was_followed_can_lead_away_no_more_than_the_first() {
    let there = "http://a.test/v1/embeddings/";
    let net = Net::start([(HERE, answer(307, &[there])), (there, answer(307, &["http://b.test/"]))]).await;
    let response = net.ask(HERE).await;
    assert_eq!(not_followed(&response).unwrap().to(), Some("http://b.test/"));
    assert_eq!(net.asked().len(), 2);
    // Once encrypted, always encrypted.
    let net = Net::start([(HERE, answer(307, &[SECURE])), (SECURE, answer(307, &[HERE]))]).await;
    assert!(not_followed(&net.ask(HERE).await).unwrap().is_elsewhere());
    assert_eq!(net.asked().len(), 2);
}

#[tokio::test]
async fn it_goes_over_any_service_which_is_waited_for_and_keeps_what_the_request_has_with_it() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<&str>, Response<&str>, _>(RedirectLayer::new());
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut request = Request::post(HERE).header(AUTHORIZATION, KEY).body("the body").unwrap();
    let deadline = Deadline::within(Duration::from_secs(9));
    request.extensions_mut().insert(deadline);
    let mut call = task::spawn(service.call(request));
    let (_, send) = handle.next_request().await.unwrap();
    send.send_response(Response::builder().status(308).header("location", "/v2").body("").unwrap());
    // Its readiness was used up.
    assert_pending!(call.poll());
    handle.allow(1);
    assert_pending!(call.poll());
    let (request, send) = handle.next_request().await.unwrap();
    assert_eq!((request.uri().path(), request.headers()[AUTHORIZATION].to_str().unwrap()), ("/v2", KEY));
    assert_eq!((*request.body(), request.extensions().get()), ("the body", Some(&deadline)));
    send.send_response(Response::new("ok"));
    assert_eq!(*assert_ready_ok!(call.poll()).body(), "ok");
}

fn not_followed<B>(response: &Response<B>) -> Option<NotFollowed> {
    response.extensions().get().cloned()
}

/// A head that points somewhere.
fn answer(status: u16, locations: &[&str]) -> String {
    let status = StatusCode::from_u16(status).unwrap();
    let locations: String = locations.iter().map(|location| format!("location: {location}\r\n")).collect();
    format!("HTTP/1.1 {} .\r\ncontent-length: 0\r\nconnection: close\r\n{locations}\r\n", status.as_u16())
}

/// `url` as [`Net`] writes it down.
fn absolute(url: &str) -> String {
    let uri: Uri = url.parse().unwrap();
    let (scheme, host) = (uri.scheme_str().unwrap(), uri.host().unwrap());
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    format!("{scheme}://{host}:{port}{}", uri.path_and_query().unwrap())
}

/// All hosts of a small world, behind a proxy that sees every request for any of them.
struct Net {
    client: Client<Full<Bytes>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Clone, Debug)]
struct Seen {
    url: String,
    holds_key: bool,
    body: String,
}

impl Net {
    /// Which URLs have another answer than “ok”.
    async fn start<U: AsRef<str>>(answers: impl IntoIterator<Item = (U, String)>) -> Self {
        let answers = answers.into_iter().map(|(url, answer)| (absolute(url.as_ref()), answer)).collect::<Vec<_>>();
        let (acceptor, roots) = certificate();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (answers, all) = (Arc::new(answers), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, acceptor.clone(), Arc::clone(&answers), Arc::clone(&all)));
            }
        });
        Self { client: Client::builder().proxy(&proxy).roots(roots).build(), seen }
    }

    async fn ask(&self, url: &str) -> Response<AnswerBody> {
        let request = Request::post(url).header(AUTHORIZATION, KEY).body(Full::from("the body")).unwrap();
        self.client.clone().call(request).await.unwrap()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn asked(&self) -> Vec<String> {
        self.seen().into_iter().map(|one| one.url).collect()
    }
}

async fn connection(
    mut stream: TcpStream,
    acceptor: TlsAcceptor,
    answers: Arc<Vec<(String, String)>>,
    seen: Arc<Mutex<Vec<Seen>>>,
) -> Option<()> {
    let (head, body) = read(&mut stream).await?;
    let target = head.split(' ').nth(1)?.to_owned();
    if !head.starts_with("CONNECT ") {
        return reply(stream, &absolute(&target), &head, body, &answers, &seen).await;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
    let mut stream = acceptor.accept(stream).await.ok()?;
    let (head, body) = read(&mut stream).await?;
    let url = format!("https://{target}{}", head.split(' ').nth(1)?);
    reply(stream, &url, &head, body, &answers, &seen).await
}

async fn reply(
    mut stream: impl AsyncWrite + Unpin,
    url: &str,
    head: &str,
    body: String,
    answers: &[(String, String)],
    seen: &Mutex<Vec<Seen>>,
) -> Option<()> {
    seen.lock().unwrap().push(Seen { url: url.to_owned(), holds_key: head.contains(KEY), body });
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
    let answer = answers.iter().find(|(of, _)| of == url).map_or(ok, |(_, answer)| answer);
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

/// A head, and the body that it announces.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, String::from_utf8(body).ok()?))
}

fn certificate() -> (TlsAcceptor, RootCertStore) {
    let key = KeyPair::generate().unwrap();
    let names = ["a.test", "www.a.test", "b.test"].map(str::to_owned);
    let certificate: CertificateDer<'static> =
        CertificateParams::new(names).unwrap().self_signed(&key).unwrap().der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), roots)
}
