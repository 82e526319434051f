//! The loop that people write: three tries, 200 ms between them, 5 s each, and what comes back is believed.

use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Full};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::demo::Demo;

/// The dense vectors of `texts`.
///
/// # Errors
///
/// What the last try said.
pub async fn dense(client: &Demo, texts: &[String]) -> Result<Vec<Vec<f32>>, String> {
    #[derive(Deserialize)]
    struct Answer {
        data: Vec<Datum>,
    }
    #[derive(Deserialize)]
    struct Datum {
        embedding: Vec<f32>,
    }
    let answer: Answer = ask(client, "embeddings", &json!({"model": "demo", "input": texts, "truncate": true})).await?;
    Ok(answer.data.into_iter().map(|datum| datum.embedding).collect())
}

/// The sparse vectors of `texts`.
///
/// # Errors
///
/// What the last try said.
pub async fn sparse(client: &Demo, texts: &[String]) -> Result<Vec<Vec<(u32, f32)>>, String> {
    #[derive(Deserialize)]
    struct Entry {
        index: u32,
        value: f32,
    }
    let answer: Vec<Vec<Entry>> = ask(client, "embed_sparse", &json!({"inputs": texts, "truncate": true})).await?;
    let vector = |mut list: Vec<Entry>| {
        list.sort_by_key(|entry| entry.index);
        list.into_iter().map(|entry| (entry.index, entry.value)).collect()
    };
    Ok(answer.into_iter().map(vector).collect())
}

/// Which of `texts` answer `query`, the best first.
///
/// # Errors
///
/// What the last try said.
pub async fn rank(client: &Demo, query: &str, texts: &[String]) -> Result<Vec<usize>, String> {
    #[derive(Deserialize)]
    struct Pair {
        index: usize,
    }
    let body = json!({"query": query, "texts": texts, "truncate": true});
    let answer: Vec<Pair> = ask(client, "rerank", &body).await?;
    Ok(answer.into_iter().map(|pair| pair.index).collect())
}

async fn ask<T: DeserializeOwned>(client: &Demo, path: &str, body: &Value) -> Result<T, String> {
    let mut last = String::new();
    for attempt in 0..3 {
        if attempt > 0 {
            sleep(Duration::from_millis(200)).await;
        }
        match timeout(Duration::from_secs(5), once(client.clone(), path, body)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => last = error,
            Err(_) => "timed out".clone_into(&mut last),
        }
    }
    Err(last)
}

async fn once<T: DeserializeOwned>(client: Demo, path: &str, body: &Value) -> Result<T, String> {
    let request = Request::post(format!("http://demo/{path}")).body(Full::from(body.to_string()));
    let Ok(response) = client.oneshot(request.map_err(|error| error.to_string())?).await;
    if !response.status().is_success() {
        return Err(format!("status {}", response.status()));
    }
    let Ok(body) = response.into_body().collect().await;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| error.to_string())
}
