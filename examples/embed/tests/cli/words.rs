//! What is said to whoever looks at a failed line: what happened, why it was not repeated, what to do.

use axum::{Json, Router, http::StatusCode, routing::post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{run, sentences, server};

/// How the server fails, what the program is told, and what it says of the first line.
const SAID: &[(&str, &[&str], &str)] = &[
    (
        "401:100",
        &[],
        "the server answered 401 invalid_api_key: Incorrect API key provided: …; no key was sent; set OPENAI_API_KEY, or name \
         its variable by --api-key-env",
    ),
    (
        "quota:100",
        &[],
        "the server answered 429 insufficient_quota: You exceeded your current quota, please check your plan and billing \
         details.…; waiting a few minutes does not help; check the account's plan and billing",
    ),
    ("403:100", &[], "the server answered 403…; the same request will fail again; change it"),
    (
        "503:100",
        &["--retries", "2"],
        "the server answered 503 server_error: The server is currently overloaded with other requests.…; given up after 3 \
         attempts (--retries)",
    ),
    (
        "503:100",
        &["--deadline", "700ms"],
        "the server answered 503 server_error: The server is currently overloaded with other requests.…; after … attempts \
         another does not fit into 700ms (--deadline)",
    ),
    (
        "429=60s:100",
        &["--deadline", "10s"],
        "the server answered 429 rate_limit_exceeded: Rate limit reached…; the next try is due in 60s, which does not fit \
         into 10s (--deadline); send more slowly, or wait",
    ),
    (
        "hang:100",
        &["--attempt-timeout", "200ms", "--retries", "2", "--batch", "1", "--concurrency", "1"],
        "no answer within the attempt limit of 200ms; 3 times, until the retries were used up (--retries)",
    ),
    (
        "hang:100",
        &["--attempt-timeout", "10s", "--deadline", "500ms"],
        "no answer within the … that the request had left",
    ),
    (
        "nan:100",
        &["--retries", "1"],
        "the server's answer is not usable: …vector …; given up after 2 attempts (--retries)",
    ),
    ("reset:100", &["--retries", "1"], "no answer from http://…; given up after 2 attempts (--retries)"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_line_says_what_happened_and_what_to_do() {
    let mut wrong = Vec::new();
    for (plan, args, right) in SAID {
        let server = server(plan).await;
        let run = run(&server.url(), args, sentences(3).join("\n")).await;
        let message = run.failure().1;
        if !is_like(&message, right) {
            wrong.push(format!("{plan} {args:?}\n  said  {message}\n  right {right}"));
        }
        // One line, and nothing of the input.
        assert!(!message.contains('\n') && !message.contains("The skipper"), "{message}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_that_is_learnt_is_said_once() {
    let answer = |Json(body): Json<Value>| async move {
        let texts = body["input"].as_array().unwrap().len();
        if texts > 10 {
            let said = format!("batch size {texts} > maximum allowed batch size 10");
            return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": said })));
        }
        (StatusCode::OK, Json(json!({ "data": vec![json!({ "embedding": [0.5, 1.0] }); texts] })))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(post(answer))).await });
    let run = run(&url, &["--batch", "64"], sentences(640).join("\n")).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let said = "the server takes 10 inputs at once; going on with that";
    assert_eq!(run.stderr.matches(said).count(), 1, "{}", run.stderr);
}

/// Whether `text` has the pieces of `right` in their order; `…` stands for anything.
fn is_like(text: &str, right: &str) -> bool {
    let mut rest = text;
    let pieces: Vec<_> = right.split('…').collect();
    let found = pieces.iter().all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    });
    found && text.starts_with(pieces[0]) && (rest.is_empty() || right.ends_with('…'))
}
