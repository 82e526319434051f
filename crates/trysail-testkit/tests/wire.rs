//! What each fault does to the bytes.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::time::Instant;
use trysail_testkit::{EmbeddingServer, server::Running};

use crate::exchange::{End, Exchange, connect, embed, post};

async fn failing(plan: &str) -> Running {
    EmbeddingServer::new().faults(plan.parse().expect("a plan")).bind().await.expect("a free port")
}

async fn meet(fault: &str) -> Exchange {
    let server = failing(&format!("{fault}:100")).await;
    let exchange = embed(server.addr(), &question()).await;
    let name = fault.split('=').next().expect("a name");
    assert_eq!(server.stats().faults.into_iter().collect::<Vec<_>>(), [(name, 1)]);
    exchange
}

fn question() -> Value {
    json!({ "model": "potion-base-2M", "input": ["one", "two", "three"] })
}

#[tokio::test]
async fn refusals_have_their_status_and_body() {
    for (fault, status, part) in [
        ("500", 500, "The server had an error"),
        ("502", 502, "<center><h1>502 Bad Gateway</h1></center>"),
        ("503", 503, "The server is currently overloaded"),
        ("504", 504, "504 Gateway Time-out"),
        ("529", 529, "overloaded_error"),
        ("408", 408, "Request timed out"),
        ("429", 429, "Please try again in 50ms."),
        ("429=1500ms", 429, "Please try again in 1500ms."),
        ("429-bare", 429, r#""code":"rate_limit_exceeded""#),
        ("quota", 429, r#""code":"insufficient_quota""#),
        ("401", 401, "Incorrect API key provided: "),
        ("403", 403, "unsupported_country_region_territory"),
        ("400-too-long", 400, "maximum context length is 8192 tokens"),
        ("404-model", 404, r#""code":"model_not_found""#),
        ("html", 200, "<h1>Welcome to nginx!</h1>"),
    ] {
        let exchange = meet(fault).await;
        assert_eq!(exchange.status(), status, "{fault}");
        assert!(exchange.text().contains(part), "{fault}: {}", exchange.text());
        assert_eq!(exchange.end, End::Whole, "{fault}");
    }
}

#[tokio::test]
async fn only_the_rate_limit_hints() {
    assert_eq!(meet("429").await.header("retry-after-ms"), Some("50"));
    assert_eq!(meet("429=2s").await.header("retry-after-ms"), Some("2000"));
    for fault in ["429-bare", "quota", "503"] {
        assert!(!meet(fault).await.head.contains("retry-after"), "{fault}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_repeated_as_it_was_sent() {
    let server = failing("401:100").await;
    let request = post(&question().to_string(), "authorization: Bearer sk-0123456789abcdef\r\n");
    let exchange = Exchange::on(&mut connect(server.addr()).await, &request).await;
    assert!(exchange.text().contains("Incorrect API key provided: sk-0123456789abcdef. You can"));
}

#[tokio::test]
async fn connections_end_as_announced() {
    for (fault, end) in [("hang", End::Silence), ("reset", End::Reset)] {
        let exchange = meet(fault).await;
        assert_eq!((exchange.end, exchange.head.as_str()), (end, ""), "{fault}");
    }
    for (fault, end) in [("stall", End::Silence), ("reset-body", End::Reset), ("cut", End::Fin)] {
        let exchange = meet(fault).await;
        assert_eq!((exchange.status(), exchange.end), (200, end), "{fault}");
        assert_eq!(exchange.body.len(), exchange.declared() / 2, "{fault}");
    }
}

#[tokio::test]
async fn connections_end_over_http2_too() {
    for fault in ["reset", "reset-body", "cut"] {
        let server = failing(&format!("{fault}:100")).await;
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
        let request = http::Request::post(format!("{}/embeddings", server.url())).body(question().to_string().into());
        let answer = client.request(request.unwrap()).await;
        assert_eq!(answer.is_ok(), fault != "reset", "{fault}");
        if let Ok(answer) = answer {
            assert!(answer.into_body().collect().await.is_err(), "{fault}");
        }
    }
}

#[tokio::test]
async fn truncated_json_is_well_framed() {
    let exchange = meet("truncated").await;
    assert_eq!((exchange.status(), exchange.end), (200, End::Whole));
    assert!(serde_json::from_slice::<Value>(&exchange.body).unwrap_err().is_eof());
}

#[tokio::test]
async fn slow_answers_are_right() {
    let answer = embed(failing("").await.addr(), &question()).await.json();
    for (fault, least) in [("slow=100ms", 100), ("drip", 24 * 20), ("drip=5ms", 24 * 5)] {
        let start = Instant::now();
        assert_eq!(meet(fault).await.json(), answer, "{fault}");
        assert!(start.elapsed() >= Duration::from_millis(least), "{fault}");
    }
}

#[tokio::test]
async fn the_connection_outlives_a_refusal() {
    let server = failing("503:100").await;
    let mut stream = connect(server.addr()).await;
    for _ in 0..3 {
        assert_eq!(Exchange::on(&mut stream, &post(&question().to_string(), "")).await.status(), 503);
    }
    assert_eq!(server.stats().accepted, 1);
}

#[tokio::test]
async fn an_outage_resets_new_and_old_connections() {
    let server = failing("down:400ms@400ms").await;
    let (mut old, health) = (connect(server.addr()).await, "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(Exchange::on(&mut old, health).await.text(), "ok");
    tokio::time::sleep(Duration::from_millis(420)).await;
    assert_eq!(Exchange::on(&mut old, health).await.end, End::Reset);
    assert_eq!(embed(server.addr(), &question()).await.end, End::Reset);
    tokio::time::sleep(Duration::from_millis(420)).await;
    assert_eq!(embed(server.addr(), &question()).await.status(), 200);
    let stats = server.stats();
    assert_eq!((stats.faults["down"], stats.requests), (2, 1));
}

#[tokio::test]
async fn the_same_seed_fails_the_same_requests() {
    async fn outcomes(seed: u64) -> Vec<(u16, End)> {
        let plan = "503:20,429:20,reset:10,truncated:10".parse::<trysail_testkit::Plan>().expect("a plan");
        let server = EmbeddingServer::new().faults(plan.seeded(seed)).bind().await.expect("a free port");
        let mut outcomes = Vec::new();
        for _ in 0..40 {
            let exchange = embed(server.addr(), &question()).await;
            outcomes.push((exchange.status(), exchange.end));
        }
        outcomes
    }
    let first = outcomes(3).await;
    assert_eq!(first, outcomes(3).await);
    assert_ne!(first, outcomes(4).await);
}
