//! What the server answers when nothing is planned to go wrong.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::{task::yield_now, time::timeout};
use trysail_testkit::{EmbeddingServer, Model, server::Running};

use crate::exchange::{End, Exchange, connect, embed, post, send};

async fn start(server: EmbeddingServer) -> Running {
    server.bind().await.expect("a free port")
}

fn vector(answer: &Value, at: usize) -> Vec<f32> {
    let numbers = answer["data"][at]["embedding"].as_array().expect("a list of numbers");
    numbers.iter().filter_map(Value::as_f64).map(|number| number as f32).collect()
}

#[tokio::test]
async fn texts_and_their_tokens_get_the_same_vectors() {
    let server = start(EmbeddingServer::new()).await;
    let ids = Model::potion().ids("a trysail");
    for (input, count) in [
        (json!("a trysail"), 1),
        (json!(["a trysail"]), 1),
        (json!(ids), 1),
        (json!([ids]), 1),
        (json!(["a trysail", "in a storm"]), 2),
        (json!([ids, [2, 3]]), 2),
    ] {
        let answer = embed(server.addr(), &json!({ "model": "potion-base-2M", "input": input, "user": "me" })).await;
        let answer = answer.json();
        assert_eq!(vector(&answer, 0), Model::potion().embed("a trysail"), "{input}");
        assert_eq!(answer["data"].as_array().map(Vec::len), Some(count), "{input}");
        assert_eq!(answer["object"], "list");
        assert_eq!(answer["data"][0]["object"], "embedding");
        assert_eq!(answer["model"], "potion-base-2M");
        assert_eq!(answer["usage"]["prompt_tokens"], answer["usage"]["total_tokens"]);
    }
    let stats = server.stats();
    assert_eq!((stats.requests, stats.inputs), (6, 8));
}

#[tokio::test]
async fn usage_counts_the_tokens() {
    let server = start(EmbeddingServer::new()).await;
    let answer = embed(server.addr(), &json!({ "model": "potion-base-2M", "input": ["Hello, world!", "hi"] })).await;
    assert_eq!(answer.json()["usage"], json!({ "prompt_tokens": 5, "total_tokens": 5 }));
}

#[tokio::test]
async fn base64_equals_floats() {
    let server = start(EmbeddingServer::new()).await;
    let ask = async |encoding| {
        let question = json!({ "model": "potion-base-2M", "input": ["storm"], "encoding_format": encoding });
        embed(server.addr(), &question).await.json()
    };
    let (floats, base64) = (ask("float").await, ask("base64").await);
    let bytes = BASE64_STANDARD.decode(base64["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let numbers: Vec<_> = bytes.as_chunks().0.iter().map(|&number| f32::from_le_bytes(number)).collect();
    assert_eq!(numbers, vector(&floats, 0));
}

#[tokio::test]
async fn fewer_dimensions_are_a_prefix_of_length_one() {
    let server = start(EmbeddingServer::new()).await;
    let question = json!({ "model": "potion-base-2M", "input": "storm", "dimensions": 16 });
    let short = vector(&embed(server.addr(), &question).await.json(), 0);
    let long = Model::potion().embed("storm");
    assert_eq!(short.len(), 16);
    assert!((short.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
    assert!((short[1] / short[0] - long[1] / long[0]).abs() < 1e-4);
}

#[tokio::test]
async fn bad_requests_get_openais_errors() {
    let server = start(EmbeddingServer::new()).await;
    let with = |field: &str, value: Value| {
        let mut question = json!({ "model": "potion-base-2M", "input": "x" });
        question[field] = value;
        question.to_string()
    };
    for (body, status, param, code, part) in [
        ("{".into(), 400, json!(null), json!(null), "We could not parse the JSON body"),
        ("[]".into(), 400, json!(null), json!(null), "We could not parse the JSON body"),
        (with("model", json!(null)), 400, json!(null), json!(null), "you must provide a model parameter"),
        (with("model", json!("gpt")), 404, json!(null), json!("model_not_found"), "The model `gpt` does not exist"),
        (with("input", json!(null)), 400, json!(null), json!(null), "'$.input' is invalid."),
        (with("input", json!("")), 400, json!(null), json!(null), "'$.input' is invalid."),
        (with("input", json!([])), 400, json!(null), json!(null), "'$.input' is invalid."),
        (with("input", json!(["a", ""])), 400, json!(null), json!(null), "'$.input' is invalid."),
        (with("input", json!(["a", 1])), 400, json!(null), json!(null), "'$.input' is invalid."),
        (with("input", json!([1, "a"])), 400, json!(null), json!(null), "'$.input' is invalid."),
        (with("input", json!([[]])), 400, json!(null), json!(null), "'$.input' is invalid."),
        (with("input", json!([-1])), 400, json!(null), json!(null), "'$.input' is invalid."),
        (with("input", json!({})), 400, json!(null), json!(null), "'$.input' is invalid."),
        (with("input", json!(vec!["a"; 2049])), 400, json!(null), json!(null), "'$.input' is invalid."),
        (with("input", json!([99_999])), 400, json!("input"), json!(null), "99999 is no token of this model"),
        (with("input", json!("a ".repeat(8193))), 400, json!(null), json!(null), "you requested 8193 tokens (8193 in"),
        (
            with("input", json!(vec![vec![7; 8000]; 38])),
            400,
            json!(null),
            json!("max_tokens_per_request"),
            "Requested 304000 tokens, max 300000 tokens per request",
        ),
        (with("dimensions", json!(65)), 400, json!("dimensions"), json!(null), "less than or equal to 64"),
        (with("dimensions", json!(0)), 400, json!("dimensions"), json!(null), "greater than or equal to 1"),
        (with("dimensions", json!("8")), 400, json!(null), json!(null), "'$.dimensions' is invalid."),
        (with("user", json!(1)), 400, json!(null), json!(null), "'$.user' is invalid."),
        (
            with("encoding_format", json!("hex")),
            400,
            json!("encoding_format"),
            json!("invalid_value"),
            "Supported values are: 'float' and 'base64'",
        ),
    ] {
        let exchange = send(server.addr(), &post(&body, "")).await;
        let error = &exchange.json()["error"];
        let start = body.get(..80).unwrap_or(&body);
        assert_eq!(exchange.status(), status, "{start}");
        assert!(error["message"].as_str().unwrap().contains(part), "{start}: {error}");
        assert_eq!((&error["param"], &error["code"]), (&param, &code), "{start}");
    }
}

#[tokio::test]
async fn the_largest_requests_pass() {
    let server = start(EmbeddingServer::new()).await;
    for input in [json!(vec!["a"; 2048]), json!("a ".repeat(8192)), json!(vec![7; 8192])] {
        assert_eq!(embed(server.addr(), &json!({ "model": "potion-base-2M", "input": input })).await.status(), 200);
    }
}

#[tokio::test]
async fn a_key_is_checked_and_masked() {
    let server = start(EmbeddingServer::new().key("sk-right")).await;
    let body = json!({ "model": "potion-base-2M", "input": "x" }).to_string();
    let ask = async |header| send(server.addr(), &post(&body, header)).await;
    assert_eq!(ask("authorization: Bearer sk-right\r\n").await.status(), 200);
    let wrong = ask("authorization: Bearer sk-invalid-and-rather-long-key\r\n").await;
    assert_eq!((wrong.status(), &wrong.json()["error"]["code"]), (401, &json!("invalid_api_key")));
    assert!(wrong.text().contains("provided: sk-inval******************-key. You"), "{}", wrong.text());
    let none = ask("").await;
    assert_eq!(none.status(), 401);
    assert!(none.text().contains("You didn't provide an API key."));
}

#[tokio::test]
async fn a_careless_server_repeats_key_and_input() {
    let server = start(EmbeddingServer::new().key("sk-right").echo_key(true)).await;
    let body = json!({ "model": "potion-base-2M", "input": "a secret" }).to_string();
    let exchange = send(server.addr(), &post(&body, "authorization: Bearer sk-wrong-and-rather-long\r\n")).await;
    assert!(exchange.text().contains("sk-wrong-and-rather-long"));
    assert!(exchange.text().contains("a secret"));
}

#[tokio::test]
async fn base64_can_be_refused() {
    let server = start(EmbeddingServer::new().floats_only(true)).await;
    let question = json!({ "model": "potion-base-2M", "input": "x", "encoding_format": "base64" });
    let exchange = embed(server.addr(), &question).await;
    assert_eq!((exchange.status(), &exchange.json()["error"]["param"]), (400, &json!("encoding_format")));
    assert_eq!(embed(server.addr(), &json!({ "model": "potion-base-2M", "input": "x" })).await.status(), 200);
}

#[tokio::test]
async fn models_are_listed_and_answered_to() {
    let server = start(EmbeddingServer::new().model("text-embedding-3-small")).await;
    let list = send(server.addr(), "GET /v1/models HTTP/1.1\r\nhost: test\r\n\r\n").await.json();
    assert_eq!(list["data"][1]["id"], "text-embedding-3-small");
    let answer = embed(server.addr(), &json!({ "model": "text-embedding-3-small", "input": "x" })).await;
    assert_eq!(answer.json()["model"], "text-embedding-3-small");
}

#[tokio::test]
async fn other_routes_are_refused() {
    let server = start(EmbeddingServer::new()).await;
    let get = async |path| send(server.addr(), &format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
    assert_eq!(get("/healthz").await.text(), "ok");
    assert_eq!(get("/v1/embedding").await.status(), 404);
    assert_eq!(get("/v1/embeddings").await.status(), 405);
    assert_eq!(server.stats().requests, 0);
}

#[tokio::test]
async fn requests_are_on_record_without_their_key() {
    let server = start(EmbeddingServer::new()).await;
    let body = json!({ "model": "potion-base-2M", "input": "x" }).to_string();
    send(server.addr(), &post(&body, "authorization: Bearer sk-right\r\nx-retry-count: 2\r\n")).await;
    let [received] = &server.requests()[..] else { panic!("one request was sent") };
    assert_eq!(received.path, "/v1/embeddings");
    assert_eq!(received.headers["x-retry-count"], "2");
    assert!(received.headers.contains_key("authorization"));
    assert!(!format!("{received:?}").contains("sk-right"));
}

#[tokio::test]
async fn http2_is_spoken_and_counted() {
    let server = start(EmbeddingServer::new().faults("reset:0".parse().unwrap())).await;
    let client: Client<_, Full<bytes::Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let body = json!({ "model": "potion-base-2M", "input": "x" }).to_string();
    let request = || http::Request::post(format!("{}/embeddings", server.url())).body(body.clone().into()).unwrap();
    for _ in 0..2 {
        let response = client.request(request()).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(vector(&serde_json::from_slice(&body).unwrap(), 0), Model::potion().embed("x"));
    }
    let stats = server.stats();
    assert_eq!((stats.accepted, stats.open, stats.requests), (1, 1, 2));
}

#[tokio::test]
async fn a_client_that_gives_up_leaves_nothing_open() {
    let server = start(EmbeddingServer::new().faults("hang:100".parse().unwrap())).await;
    let body = json!({ "model": "potion-base-2M", "input": "x" });
    for _ in 0..2 {
        assert_eq!(embed(server.addr(), &body).await.end, End::Silence);
    }
    let client: Client<_, Full<bytes::Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let request = http::Request::post(format!("{}/embeddings", server.url())).body(body.to_string().into()).unwrap();
    assert!(timeout(Duration::from_millis(50), client.request(request)).await.is_err());
    drop(client);
    let closed = async {
        while server.stats().open > 0 {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), closed).await.expect("connections end with their clients");
}

#[tokio::test]
async fn dropping_it_ends_its_connections() {
    let server = start(EmbeddingServer::new()).await;
    let (address, mut stream) = (server.addr(), connect(server.addr()).await);
    let health = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n";
    assert_eq!(Exchange::on(&mut stream, health).await.text(), "ok");
    drop(server);
    assert_ne!(Exchange::on(&mut stream, health).await.end, End::Whole);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
