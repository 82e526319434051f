//! Bodies that a server or proxy compresses, asked for or not.

#![cfg(feature = "client")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tower_http::compression::{Compression, CompressionLevel, predicate::SizeAbove};
use tower_layer::Layer;
use tower_service::Service;
use trysail_core::{Class, Classified, Health, Remedy, Retryable, Verdict};
use trysail_http::{BodyError, Client, ClientError, Collect, CollectError, CollectLayer};

const ENCODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];
const MIB: usize = 1 << 20;

#[tokio::test]
async fn what_arrives_compressed_is_read_though_nobody_asked_for_it() {
    let text = Bytes::from("{\"data\":[]}".repeat(10_000));
    for encoding in ENCODINGS {
        for name in [encoding.to_owned(), encoding.to_uppercase(), format!(" {encoding} , identity")] {
            let server = Server::start(200, &name, pack(encoding, text.clone()).await).await;
            let answer = server.ask(Client::builder().no_proxy().build()).await.unwrap();
            assert_eq!(answer.body(), &text, "{name}");
            // What is said of the body is true of it.
            assert!(
                !answer.headers().contains_key("content-encoding") && !answer.headers().contains_key("content-length")
            );
            assert!(server.head().contains("accept-encoding: identity\r\n"), "{}", server.head());
        }
    }
    let server = Server::start(200, "x-gzip", pack("gzip", text.clone()).await).await;
    assert_eq!(server.ask(Client::builder().no_proxy().build()).await.unwrap().body(), &text);
    let server = Server::start(200, "identity", text.clone()).await;
    assert_eq!(server.ask(Client::builder().no_proxy().build()).await.unwrap().body(), &text);
}

#[tokio::test]
async fn who_asks_for_compression_names_what_can_be_read() {
    let server = Server::start(200, "zstd", pack("zstd", Bytes::from("ok")).await).await;
    let answer = server.ask(Client::builder().no_proxy().compression().build()).await.unwrap();
    assert_eq!(answer.body(), "ok");
    let head = server.head();
    let asked = head.lines().find_map(|line| line.strip_prefix("accept-encoding: ")).unwrap();
    assert!(ENCODINGS.iter().all(|encoding| asked.split(',').any(|one| one == *encoding)), "{asked}");
}

#[tokio::test]
async fn a_failure_that_is_compressed_can_be_read_too() {
    let said = Bytes::from("{\"error\":{\"code\":\"insufficient_quota\"}}");
    let server = Server::start(429, "gzip", pack("gzip", said.clone()).await).await;
    let answer = server.ask(Client::builder().no_proxy().build()).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.body()), (429, &said));
    // An unknown one does not hide the status.
    let server = Server::start(503, "compress", said).await;
    assert_eq!(server.ask(Client::builder().no_proxy().build()).await.unwrap().status(), 503);
}

#[tokio::test]
async fn a_bomb_is_cut_at_the_limit_of_what_comes_out_of_it() {
    let zeros = Bytes::from(vec![0; 32 * MIB]);
    for encoding in ENCODINGS {
        let bomb = pack(encoding, zeros.clone()).await;
        assert!(bomb.len() < MIB / 4, "{encoding}: {}", bomb.len());
        let server = Server::start(200, encoding, bomb).await;
        let error = server.ask(Client::builder().no_proxy().build()).await.unwrap_err();
        assert!(matches!(error, CollectError::TooLarge { limit: MIB, .. }), "{encoding}: {error}");
        assert_eq!(error.verdict(), Verdict::PERMANENT.neutral().advise(Remedy::Split));
        assert_eq!(error.to_string(), "the answer is larger than the limit of 1 MiB");
    }
}

#[tokio::test]
async fn one_that_is_damaged_is_malformed() {
    let text: String = (0..20_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string()).collect();
    for encoding in ENCODINGS {
        let whole = pack(encoding, Bytes::from(text.clone())).await;
        let cut = whole.slice(..whole.len() / 2);
        for (how, body) in
            [("cut", cut), ("other than said", Bytes::from_static(b"{\"data\":[],\"model\":\"of numbers\"}"))]
        {
            let server = Server::start(200, encoding, body).await;
            let answer = server.ask(Client::builder().no_proxy().build()).await;
            let error = answer.map(|answer| answer.body().len()).expect_err(&format!("{encoding} {how}"));
            assert!(matches!(&error, CollectError::Body(error) if error.is_damaged()), "{encoding} {how}: {error}");
            assert_eq!(error.verdict(), Verdict::MALFORMED, "{encoding} {how}: {error}");
            let said = error.to_string();
            assert!(said.contains("is damaged") && said.contains("content-encoding"), "{encoding} {how}: {said}");
        }
    }
}

#[tokio::test]
async fn a_byte_that_changed_on_the_way_is_noticed_where_there_is_a_checksum() {
    for encoding in ["gzip", "deflate"] {
        let mut body = pack(encoding, Bytes::from("{\"data\":[]}".repeat(1_000))).await.to_vec();
        *body.last_mut().unwrap() ^= 1;
        if encoding == "gzip" {
            // The last four bytes of that are its length.
            let at = body.len() - 8;
            body[at] ^= 1;
        }
        let server = Server::start(200, encoding, body.into()).await;
        let error = server.ask(Client::builder().no_proxy().build()).await.unwrap_err();
        assert_eq!(error.verdict(), Verdict::MALFORMED, "{encoding}: {error}");
    }
}

#[tokio::test]
async fn one_that_breaks_off_on_its_way_is_transient_as_any_other() {
    for encoding in ENCODINGS {
        let whole = pack(encoding, Bytes::from("{\"data\":[]}".repeat(1_000))).await;
        let server = Server::announcing(whole.len(), 200, encoding, whole.slice(..whole.len() - 4)).await;
        let error = server.ask(Client::builder().no_proxy().build()).await.unwrap_err();
        assert!(matches!(&error, CollectError::Body(error) if !error.is_damaged()), "{encoding}: {error}");
        assert_eq!(error.verdict(), Verdict::TRANSIENT, "{encoding}: {error}");
        assert!(error.to_string().contains("broke off"), "{error}");
    }
}

#[tokio::test]
async fn one_that_nobody_here_knows_is_named_and_not_asked_for_again() {
    for encoding in ["compress", "gzip, br", "aes128gcm", "br,gzip"] {
        let server = Server::start(200, encoding, Bytes::from("?")).await;
        let error = server.ask(Client::builder().no_proxy().build()).await.unwrap_err();
        let verdict = error.verdict();
        let judged = (verdict.class(), verdict.retry(), verdict.health());
        assert_eq!(judged, (Class::Malformed, Retryable::No, Health::Neutral), "{encoding}: {error}");
        let named = encoding.replace(",b", ", b").replace(",g", ", g");
        assert!(error.to_string().starts_with(&format!("the answer is compressed as {named}")), "{error}");
    }
}

#[tokio::test]
async fn an_empty_body_needs_no_compression() {
    for encoding in ENCODINGS {
        let server = Server::start(200, encoding, Bytes::new()).await;
        assert_eq!(server.ask(Client::builder().no_proxy().build()).await.unwrap().body(), "", "{encoding}");
    }
}

type Whole = Collect<Client<Full<Bytes>>>;
type Failed = CollectError<ClientError, BodyError>;

/// `body` in `encoding`, as tower-http writes it.
async fn pack(encoding: &str, body: Bytes) -> Bytes {
    let mut service = Compression::new(Says(body)).compress_when(SizeAbove::new(0)).quality(CompressionLevel::Fastest);
    let request = Request::get("/").header("accept-encoding", encoding).body(()).unwrap();
    let response = service.call(request).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], encoding);
    response.into_body().collect().await.unwrap().to_bytes()
}

struct Says(Bytes);

impl Service<Request<()>> for Says {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(Full::new(self.0.clone()))))
    }
}

/// Answers every request with the same bytes.
struct Server {
    address: SocketAddr,
    head: Arc<Mutex<String>>,
}

impl Server {
    async fn start(status: u16, encoding: &str, body: Bytes) -> Self {
        Self::announcing(body.len(), status, encoding, body).await
    }

    async fn announcing(length: usize, status: u16, encoding: &str, body: Bytes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), head: Arc::default() };
        let (asked, encoding) = (Arc::clone(&server.head), encoding.to_owned());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                *asked.lock().unwrap() = String::from_utf8(head).unwrap();
                let head =
                    format!("HTTP/1.1 {status} .\r\ncontent-length: {length}\r\ncontent-encoding: {encoding}\r\n\r\n");
                // Who has enough of a bomb hangs up.
                let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
            }
        });
        server
    }

    async fn ask(&self, client: Client<Full<Bytes>>) -> Result<Response<Bytes>, Failed> {
        let mut whole: Whole = CollectLayer::new(MIB).layer(client);
        whole.call(Request::get(format!("http://{}/", self.address)).body(Full::default()).unwrap()).await
    }

    fn head(&self) -> String {
        self.head.lock().unwrap().clone()
    }
}
