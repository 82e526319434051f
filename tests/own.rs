//! Headers, fields, parameters and keys of one's own, as a server on a real socket receives them.

use std::{
    collections::{HashMap, HashSet},
    error::Error,
    sync::{Arc, Mutex},
};

use axum::{extract::State, response::IntoResponse};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt};
use trysail::{
    Batches, ClassifyLayer, Client, CollectLayer, EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint,
    Preset, Providers,
};

/// What a server has received, and how it answers.
#[derive(Clone)]
struct Server {
    answer: fn(usize, &Seen) -> (StatusCode, HeaderMap, Value),
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Clone, Debug)]
struct Seen {
    uri: Uri,
    headers: HeaderMap,
    body: Value,
    bytes: Bytes,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Server {
    async fn new(answer: fn(usize, &Seen) -> (StatusCode, HeaderMap, Value)) -> Result<(String, Self), BoxError> {
        let server = Self { answer, seen: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = axum::Router::new().fallback(receive).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok((url, server))
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }
}

async fn receive(State(server): State<Server>, uri: Uri, headers: HeaderMap, bytes: Bytes) -> impl IntoResponse {
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    let mut seen = server.seen.lock().expect("no panic");
    seen.push(Seen { uri, headers, body, bytes });
    let (status, headers, answer) = (server.answer)(seen.len(), &seen[seen.len() - 1]);
    (status, headers, answer.to_string())
}

fn vectors(seen: &Seen) -> (StatusCode, HeaderMap, Value) {
    let count = seen.body["input"].as_array().map_or(1, Vec::len);
    let data = vec![json!({ "embedding": [1, 0] }); count];
    (StatusCode::OK, HeaderMap::new(), json!({ "data": data }))
}

fn twice_unavailable(ordinal: usize, seen: &Seen) -> (StatusCode, HeaderMap, Value) {
    match ordinal {
        ..=2 => (StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), Value::Null),
        _ => vectors(seen),
    }
}

fn embed(
    endpoint: Endpoint,
) -> impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError, Future: Send> + Clone {
    let http = ServiceBuilder::new()
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1 << 20))
        .service(Client::builder().no_proxy().build());
    Preset::interactive().layer(Embeddings::new(http, endpoint))
}

#[tokio::test]
async fn what_endpoint_and_request_say_of_their_own_is_in_every_attempt() -> Result<(), BoxError> {
    let (url, server) = Server::new(twice_unavailable).await?;
    let endpoint = Endpoint::openai(&url)?
        .key("sk-endpoint")?
        .header("api-key", "sk-endpoint")?
        .header("X-Tenant", "everybody")?
        .field("truncate", true)?
        .field("user", "nobody")?
        .query("api-version", "2024-10-21")?
        .query("region", "north & south")?;
    let request = EmbedRequest::new("m", ["fair wind"])
        .header("x-tenant", "harbour")?
        .field("user", "skipper")?
        .field("options", json!({ "num_ctx": 512 }))?
        .query("region", "süd")?;
    embed(endpoint).oneshot(request).await?;

    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    for attempt in &seen {
        assert_eq!(attempt.uri, "/embeddings?api-version=2024-10-21&region=s%C3%BCd");
        assert_eq!(attempt.header("authorization"), Some("Bearer sk-endpoint"));
        assert_eq!(attempt.header("api-key"), Some("sk-endpoint"));
        assert_eq!(attempt.header("x-tenant"), Some("harbour"));
        assert_eq!(
            attempt.body,
            json!({
                "model": "m", "input": ["fair wind"], "encoding_format": "base64", "truncate": true, "user": "skipper",
                "options": { "num_ctx": 512 }
            })
        );
        assert_eq!(attempt.bytes, seen[0].bytes);
        // Twice the same name would be up to the server.
        assert_eq!(String::from_utf8_lossy(&attempt.bytes).matches("\"user\"").count(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn what_a_dialect_says_by_default_can_be_said_otherwise() -> Result<(), BoxError> {
    let answer = |_: usize, _: &Seen| {
        let vectors = json!([[1, 0]]);
        let answer = json!({ "data": [{ "embedding": [1, 0] }], "embeddings": vectors });
        (StatusCode::OK, HeaderMap::new(), answer)
    };
    let (url, server) = Server::new(answer).await?;
    let ask = || EmbedRequest::new("m", ["fair wind"]);
    embed(Endpoint::ollama(&url)?.field("truncate", true)?).oneshot(ask()).await?;
    embed(Endpoint::azure(&url, "d", "2024-10-21")?.query("api-version", "preview")?).oneshot(ask()).await?;
    embed(Endpoint::openai(&url)?.key("sk-1")?).oneshot(ask().header("authorization", "Bearer sk-2")?).await?;
    embed(Endpoint::openai(&url)?.field("output_dimension", 8)?).oneshot(ask().dimensions(2)).await?;
    let seen = server.seen();
    assert_eq!(seen[0].body["truncate"], true);
    assert_eq!(String::from_utf8_lossy(&seen[0].bytes).matches("truncate").count(), 1);
    assert_eq!(seen[1].uri, "/openai/deployments/d/embeddings?api-version=preview");
    assert_eq!(seen[2].header("authorization"), Some("Bearer sk-2"));
    assert_eq!(seen[2].headers.get_all("authorization").iter().count(), 1);
    assert_eq!((&seen[3].body["dimensions"], &seen[3].body["output_dimension"]), (&json!(2), &json!(8)));
    Ok(())
}

#[tokio::test]
async fn one_request_to_two_endpoints_says_to_each_what_is_meant_for_it() -> Result<(), BoxError> {
    let (url, server) = Server::new(|_, seen| vectors(seen)).await?;
    let request = EmbedRequest::new("m", ["fair wind"]);
    let endpoints = ["north", "south", "north"].map(|user| Endpoint::openai(&url)?.field("user", user));
    for endpoint in endpoints {
        embed(endpoint?).oneshot(request.clone()).await?;
    }
    let users: Vec<_> = server.seen().into_iter().map(|seen| seen.body["user"].clone()).collect();
    assert_eq!(users, ["north", "south", "north"]);
    Ok(())
}

#[tokio::test]
async fn another_body_has_another_key() -> Result<(), BoxError> {
    let answer = |_: usize, seen: &Seen| {
        let refuse = |message: &str| (StatusCode::BAD_REQUEST, HeaderMap::new(), json!({ "error": message }));
        match (seen.body["encoding_format"].as_str(), seen.body["input"].as_array().map(Vec::len)) {
            (Some("base64"), _) => refuse("unknown field encoding_format"),
            (_, Some(2..)) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                HeaderMap::new(),
                json!({ "error": { "message": "batch size 2 > maximum allowed batch size 1" } }),
            ),
            _ => vectors(seen),
        }
    };
    for own in [false, true] {
        let (url, server) = Server::new(answer).await?;
        let with_key = move |request: EmbedRequest| match own {
            true => request.header("idempotency-key", "order-17").expect("a header"),
            false => request.keyed(),
        };
        let batches = Batches::of("m", ["fair wind", "storm"]).each(with_key);
        batches.embed(embed(Endpoint::openai(&url)?)).await?;
        let seen = server.seen();
        let keys: Vec<_> = seen.iter().map(|seen| seen.header("idempotency-key").expect("a key")).collect();
        // Base64, floats, and the halves.
        assert_eq!(keys.len(), 4);
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 4, "{keys:?}");
        if own {
            assert_eq!(keys, ["order-17", "order-17-float", "order-17-1-float", "order-17-2-float"]);
        }
    }
    Ok(())
}

const SECRETS: [&str; 6] = ["hunter2", "swordfish", "opensesame", "letmein-now", "p@ss word", "tenant-4711"];

fn secretive(url: &str) -> Result<(Endpoint, EmbedRequest), BoxError> {
    let [key, header, scheme, field, query, own] = SECRETS;
    let endpoint = Endpoint::openai(url)?
        .key(key)?
        .header("api-key", header)?
        .header("x-forwarded-authorization", &format!("Basic {scheme}"))?
        .field("api_key", field)?
        .query("subscription-key", query)?;
    Ok((endpoint, EmbedRequest::new("m", ["fair wind"]).header("x-tenant", own)?))
}

#[tokio::test]
async fn nothing_secret_is_shown_even_if_the_server_repeats_it() -> Result<(), BoxError> {
    let answer = |_: usize, seen: &Seen| {
        let all: Vec<_> = seen.headers.values().filter_map(|value| value.to_str().ok()).collect();
        let message = format!("who is {} {} {}?", all.join(" "), seen.body["api_key"], seen.uri);
        (StatusCode::UNAUTHORIZED, HeaderMap::new(), json!({ "error": { "message": message, "code": all.join(",") } }))
    };
    let (url, server) = Server::new(answer).await?;
    let (endpoint, request) = secretive(&url)?;
    let debug = format!("{endpoint:?} {request:?} {:?}", embed(endpoint.clone()).oneshot(request.clone()).await);
    let error = embed(endpoint).oneshot(request).await.expect_err("a wrong key");
    assert!(error.to_string().contains("who is"), "{error}");
    let said = format!("{debug} {error} {error:?} {:?}", error.source());
    for secret in SECRETS.into_iter().chain(["p%40ss%20word"]) {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    assert!(said.contains("api-key") && said.contains("x-tenant"), "names help: {said}");
    assert_eq!(server.seen()[0].header("api-key"), Some("swordfish"));
    Ok(())
}

#[tokio::test]
async fn nothing_is_sent_to_another_origin() -> Result<(), BoxError> {
    let (other, elsewhere) = Server::new(|_, seen| vectors(seen)).await?;
    for status in [301, 302, 307, 308] {
        static OTHER: Mutex<(u16, String)> = Mutex::new((0, String::new()));
        *OTHER.lock().expect("no panic") = (status, other.clone());
        let answer = |_: usize, _: &Seen| {
            let (status, other) = OTHER.lock().expect("no panic").clone();
            let location = HeaderMap::from_iter([(http::header::LOCATION, other.parse().expect("a URL"))]);
            (StatusCode::from_u16(status).expect("a status"), location, Value::Null)
        };
        let (url, _server) = Server::new(answer).await?;
        let (endpoint, request) = secretive(&url)?;
        embed(endpoint).oneshot(request).await.expect_err("it does not follow");
    }
    assert_eq!(elsewhere.seen().len(), 0);
    Ok(())
}

#[test]
fn what_cannot_be_sent_is_an_error_at_once_that_names_it_and_shows_no_value() {
    let endpoint = || Endpoint::openai("http://localhost:1").expect("a base URL");
    let request = || EmbedRequest::new("m", ["a"]);
    for (name, value, words) in [
        ("", "hunter2", "the name of a header is empty"),
        ("api key", "hunter2", "the name of a header"),
        ("api-key:", "hunter2", "the name of a header"),
        ("äpi", "hunter2", "the name of a header"),
        ("api-key", "", "`api-key`"),
        ("api-key", "  ", "`api-key`"),
        ("api-key", "hunter2\r\nx: y", "`api-key`"),
        ("api-key", "hünter2", "`api-key`"),
        ("Content-Length", "7", "follows from the body"),
        ("content-type", "text/plain", "the body is JSON"),
        ("Accept-Encoding", "gzip", "as they come"),
        ("Host", "elsewhere", "follows from the URL"),
        ("connection", "close", "belongs to the client"),
        ("X-Retry-Count", "0", "a retry"),
    ] {
        let problems = [
            endpoint().header(name, value).expect_err(name).to_string(),
            request().header(name, value).expect_err(name).to_string(),
        ];
        for problem in problems {
            assert!(problem.contains(words) && !problem.contains("nter2"), "{problem}");
        }
    }
    for name in ["", "model", "input", "inputs", "texts", "dimensions", "encoding_format", "embedding_types"] {
        for problem in [
            endpoint().field(name, "hunter2").expect_err(name).to_string(),
            request().field(name, "hunter2").expect_err(name).to_string(),
        ] {
            assert!(problem.contains(name) && problem.contains("field") && !problem.contains("hunter2"), "{problem}");
        }
    }
    let no_json = HashMap::from([((1, 2), 3)]);
    assert!(endpoint().field("x", no_json).expect_err("no JSON").to_string().contains("`x`"));
    assert!(request().query("", "x").expect_err("no name").to_string().contains("parameter"));
    assert!(request().query("x", &"y".repeat(9_000)).expect_err("long").to_string().contains("too long"));
    let keyed = endpoint().header("Idempotency-Key", "k").expect_err("one for all");
    assert!(keyed.to_string().contains("EmbedRequest::keyed"), "{keyed}");
}
