//! What each trick does to the bytes.

use std::{io::ErrorKind, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy, sink},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use trysail_testkit::{Hostile, HostileServer, Trick};

use crate::exchange::{End, Exchange, connect, post, send};

async fn start(trick: Trick) -> Hostile {
    HostileServer::start(trick).await.expect("a free port")
}

async fn meet(trick: Trick) -> Exchange {
    let server = start(trick).await;
    let exchange = send(server.addr(), &question()).await;
    assert_eq!((server.accepted(), server.requests()), (1, 1), "{trick:?}");
    exchange
}

/// A connection on which the server has a whole request.
async fn ask(server: &Hostile) -> TcpStream {
    let mut stream = connect(server.addr()).await;
    stream.write_all(question().as_bytes()).await.expect("the server reads");
    while server.requests() == 0 {
        sleep(MS).await;
    }
    stream
}

/// The first bytes of an answer.
async fn start_of(trick: Trick, length: usize) -> String {
    let mut bytes = vec![0; length];
    ask(&start(trick).await).await.read_exact(&mut bytes).await.expect("the answer is longer");
    String::from_utf8(bytes).expect("the server sends text")
}

fn question() -> String {
    post(&json!({ "model": "hostile", "input": "one" }).to_string(), "")
}

#[tokio::test]
async fn one_connection_takes_any_number_of_requests() {
    let server = start(Trick::Answers).await;
    let mut stream = connect(server.addr()).await;
    for request in [&question(), "GET / HTTP/1.1\r\n\r\n", "DELETE /x HTTP/1.1\r\nContent-Length:0\r\n\r\n"] {
        let exchange = Exchange::on(&mut stream, request).await;
        assert_eq!((exchange.status(), exchange.end), (200, End::Whole), "{request}");
        assert_eq!(exchange.json()["data"][0]["object"], "embedding");
    }
    assert_eq!((server.accepted(), server.open(), server.requests()), (1, 1, 3));
    assert_eq!(server.url(), format!("http://{}", server.addr()));
}

#[tokio::test]
async fn a_request_counts_once_it_is_whole() {
    let server = start(Trick::Answers).await;
    let mut stream = connect(server.addr()).await;
    let question = question();
    let (most, rest) = question.split_at(question.len() - 1);
    assert_eq!(Exchange::on(&mut stream, most).await.end, End::Silence);
    assert_eq!(server.requests(), 0);
    assert_eq!(Exchange::on(&mut stream, rest).await.status(), 200);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_connect_hangs_until_the_server_is_dropped() {
    let server = start(Trick::NeverAcceptsSyn).await;
    let mut connects = [0; 3].map(|_| Box::pin(TcpStream::connect(server.addr())));
    for connect in &mut connects {
        assert!(timeout(300 * MS, connect).await.is_err());
    }
    assert_eq!((server.accepted(), server.open(), server.requests()), (0, 0, 0));
    drop(server);
    for connect in connects {
        // The system tries again after a second.
        let refused = timeout(3000 * MS, connect).await.expect("an end").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
}

#[tokio::test]
async fn silence_falls_before_the_answer_or_after_its_head() {
    let exchange = meet(Trick::NeverAnswers).await;
    assert_eq!((exchange.head.as_str(), exchange.end), ("", End::Silence));
    let exchange = meet(Trick::HeadThenSilence).await;
    assert_eq!((exchange.status(), exchange.body.len(), exchange.end), (200, 0, End::Silence));
    assert!(exchange.declared() > 0);
}

#[tokio::test]
async fn connections_end_as_announced() {
    for (trick, end) in [(Trick::ResetBeforeAnswer, End::Reset), (Trick::FinBeforeAnswer, End::Fin)] {
        let exchange = meet(trick).await;
        assert_eq!((exchange.head.as_str(), exchange.end), ("", end), "{trick:?}");
    }
    for (trick, end) in [(Trick::ResetInBody, End::Reset), (Trick::FinInBody, End::Fin)] {
        let exchange = meet(trick).await;
        assert_eq!((exchange.status(), exchange.end), (200, end), "{trick:?}");
        assert_eq!(exchange.body.len(), exchange.declared() / 2, "{trick:?}");
    }
}

#[tokio::test]
async fn slow_answers_are_right() {
    let answer = meet(Trick::Answers).await;
    for (trick, least) in [
        (Trick::AnswersAfter(100 * MS), 100 * MS),
        (Trick::OneByteEvery(2 * MS), 2 * MS * answer.body.len() as u32),
        (Trick::Gaps(&GAPS), GAPS.iter().sum()),
        (Trick::Gaps(&[]), Duration::ZERO),
    ] {
        let start = Instant::now();
        let slow = meet(trick).await;
        assert_eq!((&slow.head, slow.text()), (&answer.head, answer.text()), "{trick:?}");
        assert!(start.elapsed() >= least, "{trick:?}");
    }
}

#[tokio::test]
async fn pieces_arrive_after_their_gaps() {
    let server = start(Trick::Gaps(&GAPS)).await;
    let (start, mut waited) = (Instant::now(), Duration::ZERO);
    let (mut stream, mut buffer) = (ask(&server).await, [0; 4096]);
    let head = stream.read(&mut buffer).await.unwrap();
    assert!(buffer[..head].ends_with(b"\r\n\r\n"));
    for gap in GAPS {
        waited += gap;
        assert!(stream.read(&mut buffer).await.unwrap() > 40);
        assert!(start.elapsed() >= waited, "{gap:?}");
    }
    assert!(timeout(100 * MS, stream.read(&mut buffer)).await.is_err());
}

#[tokio::test]
async fn a_byte_comes_alone() {
    let server = start(Trick::OneByteEvery(20 * MS)).await;
    let (mut stream, mut buffer) = (ask(&server).await, [0; 4096]);
    assert!(stream.read(&mut buffer).await.unwrap() > 1);
    for byte in b"{\"obj" {
        assert_eq!((stream.read(&mut buffer).await.unwrap(), buffer[0]), (1, *byte));
    }
}

#[tokio::test]
async fn a_huge_body_is_as_long_as_declared() {
    let exchange = meet(Trick::HugeBody(100_000)).await;
    assert_eq!((exchange.declared(), exchange.end), (100_000, End::Whole));
    assert!(exchange.body.iter().all(|byte| *byte == 0));
    let server = start(Trick::HugeBody(u64::MAX)).await;
    let much = copy(&mut ask(&server).await.take(50_000_000), &mut sink()).await.unwrap();
    assert_eq!(much, 50_000_000);
    assert!(server.idle(SECOND).await);
}

#[tokio::test]
async fn endless_answers_do_not_end() {
    let body = start_of(Trick::EndlessBody, 2_000_000).await;
    let (head, body) = body.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("transfer-encoding: chunked"));
    let mut lines = body.split_terminator("\r\n");
    while let (Some(length), Some(chunk), Some(_)) = (lines.next(), lines.next(), lines.clone().next()) {
        assert_eq!(usize::from_str_radix(length, 16), Ok(chunk.len()));
        assert_ne!(length, "0");
    }

    let head = start_of(Trick::EndlessHead, 2_000_000).await;
    let (lines, _cut) = head.rsplit_once("\r\n").expect("lines");
    let mut lines = lines.split("\r\n");
    assert_eq!(lines.next(), Some("HTTP/1.1 200 OK"));
    assert!(lines.all(|line| line.contains(": ")));

    let continues = start_of(Trick::EndlessContinue, 2_000_000).await;
    assert_eq!(continues, "HTTP/1.1 100 Continue\r\n\r\n".repeat(80_000));
}

#[tokio::test]
async fn a_connection_ends_when_the_client_hangs_up() {
    for trick in ACCEPTING {
        let server = start(trick).await;
        assert!(server.idle(Duration::ZERO).await);
        let stream = ask(&server).await;
        let ends = [Trick::ResetInBody, Trick::FinInBody, Trick::ResetBeforeAnswer, Trick::FinBeforeAnswer];
        if !ends.contains(&trick) {
            assert!(!server.idle(5 * MS).await, "{trick:?}");
            assert_eq!(server.open(), 1, "{trick:?}");
        }
        drop(stream);
        assert!(server.idle(SECOND).await, "{trick:?}");
        assert_eq!((server.accepted(), server.open(), server.requests()), (1, 0, 1), "{trick:?}");
    }
}

#[tokio::test]
async fn dropping_the_server_ends_its_connections() {
    for trick in ACCEPTING {
        let server = start(trick).await;
        let (mut asked, mut idle) = (ask(&server).await, connect(server.addr()).await);
        drop(server);
        for stream in [&mut asked, &mut idle] {
            // Whether it ends well depends on what was under way.
            let _ = timeout(SECOND, copy(stream, &mut sink())).await.expect("an end");
        }
    }
}

/// All but the one that has no connections.
const ACCEPTING: [Trick; 14] = [
    Trick::NeverAnswers,
    Trick::HeadThenSilence,
    Trick::OneByteEvery(SECOND),
    Trick::ResetInBody,
    Trick::FinInBody,
    Trick::ResetBeforeAnswer,
    Trick::FinBeforeAnswer,
    Trick::EndlessBody,
    Trick::HugeBody(u64::MAX),
    Trick::EndlessHead,
    Trick::EndlessContinue,
    Trick::Answers,
    Trick::AnswersAfter(SECOND),
    Trick::Gaps(&[SECOND]),
];
const GAPS: [Duration; 3] = [Duration::from_millis(120), Duration::from_millis(60), Duration::from_millis(90)];
const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
