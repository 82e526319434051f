use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{embed, finish, sentences};

/// A server that speaks one dialect and no other.
struct Dialect {
    name: &'static str,
    path: &'static str,
    key: (&'static str, &'static str),
    /// What a request says beside its texts.
    says: fn() -> Value,
    inputs: &'static str,
    answer: fn(Vec<Value>) -> Value,
    too_long: (u16, &'static str),
}

const KEY: &str = "k9-Sesame-open-0817";
const TOO_LONG: &str = "too long for any model";
const DIALECTS: &[Dialect] = &[
    Dialect {
        name: "tei",
        path: "/embed",
        key: ("authorization", "Bearer "),
        says: || json!({}),
        inputs: "inputs",
        answer: |vectors| json!(vectors),
        too_long: (
            413,
            r#"{"error":"Input validation error: `inputs` must have less than 512 tokens. Given: 900","error_type":"Validation"}"#,
        ),
    },
    Dialect {
        name: "ollama",
        path: "/api/embed",
        key: ("authorization", "Bearer "),
        says: || json!({ "model": "m", "truncate": false }),
        inputs: "input",
        answer: |vectors| json!({ "model": "m", "embeddings": vectors, "total_duration": 1, "prompt_eval_count": 7 }),
        too_long: (400, r#"{"error":"the input length exceeds the context length"}"#),
    },
    Dialect {
        name: "cohere",
        path: "/v2/embed",
        key: ("authorization", "Bearer "),
        says: || {
            json!({
                "model": "m", "input_type": "search_document", "embedding_types": ["float"], "truncate": "NONE"
            })
        },
        inputs: "texts",
        answer: |vectors| {
            json!({
                "id": "da6e531f", "embeddings": { "float": vectors }, "texts": ["…"],
                "meta": { "api_version": { "version": "2" }, "billed_units": { "input_tokens": 7 } }
            })
        },
        too_long: (400, r#"{"id":"da6e531f","message":"too many tokens: total number of tokens in text 0 is 900"}"#),
    },
    Dialect {
        name: "azure",
        path: "/openai/deployments/m/embeddings?api-version=2024-10-21",
        key: ("api-key", ""),
        says: || json!({ "model": "m", "encoding_format": "base64" }),
        inputs: "input",
        answer: |vectors| {
            let item =
                |(index, vector): (usize, Value)| json!({ "object": "embedding", "index": index, "embedding": vector });
            let data: Vec<_> = vectors.into_iter().enumerate().map(item).collect();
            json!({ "object": "list", "data": data, "model": "m", "usage": { "prompt_tokens": 7, "total_tokens": 7 } })
        },
        too_long: (
            400,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens, however you requested 9213 tokens.","type":"invalid_request_error","param":null,"code":null}}"#,
        ),
    },
];

/// What was wrong with the requests.
type Wrong = Arc<Mutex<Vec<String>>>;

async fn answer(State((dialect, wrong)): State<(&'static Dialect, Wrong)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    let texts = body.as_object_mut().unwrap().remove(dialect.inputs).unwrap_or_default();
    let key = parts.headers.get(dialect.key.0).map(|key| key.to_str().unwrap().to_owned());
    let path = parts.uri.path_and_query().unwrap().as_str();
    if path != dialect.path || key != Some(format!("{}{KEY}", dialect.key.1)) || body != (dialect.says)() {
        wrong.lock().unwrap().push(format!("{} {path} {key:?} {body}", parts.method));
    }
    let texts: Vec<_> = texts.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect();
    if texts.contains(&TOO_LONG) {
        let (status, body) = dialect.too_long;
        return (http::StatusCode::from_u16(status).unwrap(), body).into_response();
    }
    let vectors = texts.into_iter().map(|text| json!([text.len(), 0.5])).collect();
    (dialect.answer)(vectors).to_string().into_response()
}

#[tokio::test]
async fn each_dialect_is_spoken_and_understood() {
    for dialect in DIALECTS {
        let wrong = Wrong::default();
        let router = Router::new().fallback(answer).with_state((dialect, Arc::clone(&wrong)));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(axum::serve(listener, router).into_future());

        let mut texts = sentences(20);
        texts[13] = TOO_LONG.to_owned();
        let mut command = embed(&["--api", dialect.name, "--url", &url, "--model", "m", "--batch", "8"]);
        command.env("OPENAI_API_KEY", KEY);
        let run = finish(command, texts.join("\n")).await;
        assert_eq!(*wrong.lock().unwrap(), [""; 0], "{}", dialect.name);
        assert_eq!(run.code, Some(1), "{}: {}", dialect.name, run.stderr);
        for (at, (row, text)) in run.rows().into_iter().zip(&texts).enumerate() {
            assert_eq!(row.line, at as u64 + 1);
            match row.error {
                None => assert_eq!(row.embedding, Some(vec![text.len() as f32, 0.5]), "{}", dialect.name),
                Some(error) => {
                    assert_eq!((at, error.class.as_str()), (13, "permanent"), "{}: {error:?}", dialect.name);
                    assert!(error.message.ends_with("shorten the input"), "{}: {error:?}", dialect.name);
                }
            }
        }
        assert!(run.stderr.contains("19 embedded, 1 failed"), "{}", run.stderr);
        server.abort();
    }
}

#[tokio::test]
async fn headers_fields_and_parameters_of_ones_own_are_in_every_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let answer = |State(seen): State<Arc<Mutex<Vec<Value>>>>, request: Request| async move {
        let (parts, body) = request.into_parts();
        let body: Value = serde_json::from_slice(&axum::body::to_bytes(body, usize::MAX).await.unwrap()).unwrap();
        let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        seen.lock().unwrap().push(json!({
            "uri": parts.uri.to_string(), "authorization": header("authorization"), "api-key": header("api-key"),
            "truncate": body["truncate"], "user": body["user"],
        }));
        (http::StatusCode::UNAUTHORIZED, format!("what is {:?}?", header("api-key")))
    };
    let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    let mut command = embed(&["--url", &url, "--field", "truncate=true", "--field", "user=skipper 17"]);
    command.args(["--header", "api-key: k9-Sesame-open-0817", "--query", "api-version=2024-10-21", "--json"]);
    command.env("OPENAI_API_KEY", KEY).env("RUST_LOG", "debug");
    let run = finish(command, "a line").await;
    let said = json!({
        "uri": "/v1/embeddings?api-version=2024-10-21", "authorization": format!("Bearer {KEY}"), "api-key": KEY,
        "truncate": true, "user": "skipper 17",
    });
    assert_eq!(*seen.lock().unwrap(), [said]);
    assert_eq!(run.code, Some(1));
    assert!(!format!("{}{}", run.stdout, run.stderr).contains(KEY), "{}{}", run.stdout, run.stderr);
    server.abort();
}
