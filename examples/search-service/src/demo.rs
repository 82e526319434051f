//! A server that has dense vectors, sparse vectors and scores, and fails as often as it is told to.

use std::{convert::Infallible, future::pending, io, sync::Arc, time::Duration};

use axum::{Router, body::Bytes as AxumBytes, http::Uri, routing::post};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};
use tower::{ServiceExt, service_fn, util::BoxCloneSyncService};
use trysail::{HttpRequest, verdict::Random};

use crate::{DataSet, Kind, Server};

/// A client of such a server, without a socket between them.
pub type Demo = BoxCloneSyncService<HttpRequest, Response<Full<Bytes>>, Infallible>;

/// Fails `percent` of what it is asked, in six ways.
pub fn server(percent: u64, seed: u64) -> Demo {
    let dice = Arc::new(Random::seeded(seed));
    Demo::new(service_fn(move |request| answer(Arc::clone(&dice), percent, request)))
}

/// Runs it on a free port of the loopback interface, as long as the runtime does; gives back its base URL.
///
/// # Errors
///
/// If there is no port.
pub async fn serve(percent: u64) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let server = server(percent, 1);
    let ask = async move |uri: Uri, body: AxumBytes| {
        let mut request = Request::new(Full::new(body));
        *request.uri_mut() = uri;
        let Ok(answer) = server.clone().oneshot(request).await;
        answer.map(axum::body::Body::new)
    };
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(post(ask))).await });
    Ok(base)
}

/// A data set whose servers are all at `base`.
pub fn data_set(base: &str) -> DataSet {
    let server = |kind, model: &str| Server {
        kind,
        base: base.to_owned(),
        model: model.to_owned(),
        key: None,
        query: [("api-version".to_owned(), "2023-05-15".to_owned())].into(),
        fields: [("truncate".to_owned(), Value::Bool(true))].into(),
    };
    DataSet {
        dense: server(Kind::Openai, "demo-dense"),
        sparse: server(Kind::Tei, "demo-sparse"),
        rerank: server(Kind::Tei, "demo-rerank"),
    }
}

/// The dense vector of `text`.
pub fn dense(text: &str) -> Vec<f32> {
    let dice = Random::seeded(seed(text));
    (0..8).map(|_| (dice.below(1_023) as f32 + 1.0) / 1_024.0).collect()
}

/// The sparse vector of `text`: its words, each once.
pub fn sparse(text: &str) -> Vec<(u32, f32)> {
    let mut tokens: Vec<_> = text.split(' ').map(|word| ((seed(word) % 30_000) as u32, 0.5)).collect();
    tokens.sort_by_key(|(token, _)| *token);
    tokens.dedup();
    tokens
}

/// How well `text` answers `query`.
pub fn score(query: &str, text: &str) -> f64 {
    Random::seeded(seed(query) ^ seed(text)).below(1 << 20) as f64 / f64::from(1 << 20)
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Hang,
    RateLimit,
    Short,
    Shuffled,
    Nan,
    OutOfRange,
}

async fn answer(dice: Arc<Random>, percent: u64, request: HttpRequest) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let fault = (dice.below(100) < percent).then(|| FAULTS[dice.below(FAULTS.len() as u64) as usize]);
    sleep(Duration::from_millis(20 + dice.below(40))).await;
    let (status, answer) = match fault {
        Some(Fault::Hang) => pending().await,
        Some(Fault::RateLimit) => {
            (StatusCode::TOO_MANY_REQUESTS, json!({"error": {"message": "Rate limit reached", "type": "requests"}}))
        }
        _ => match path.rsplit('/').next() {
            Some("embeddings") => (StatusCode::OK, json!({"data": embedded(&texts(&asked["input"]), fault)})),
            Some("embed_sparse") => (StatusCode::OK, sparse_list(&texts(&asked["inputs"]), fault)),
            Some("rerank") => (StatusCode::OK, ranked(&asked, fault)),
            _ => (StatusCode::NOT_FOUND, json!({"error": {"message": "no such route"}})),
        },
    };
    let mut response = Response::new(Full::from(answer.to_string()));
    *response.status_mut() = status;
    Ok(response)
}

fn embedded(texts: &[&str], fault: Option<Fault>) -> Value {
    let item = |(index, text): (usize, &&str)| json!({"index": index, "embedding": dense(text)});
    let mut items: Vec<_> = texts.iter().enumerate().map(item).collect();
    match fault {
        Some(Fault::Nan) => items[0]["embedding"][0] = Value::Null,
        Some(Fault::OutOfRange) => items[0]["index"] = json!(texts.len()),
        fault => spoil(&mut items, fault),
    }
    items.into()
}

fn sparse_list(texts: &[&str], fault: Option<Fault>) -> Value {
    let entry = |(token, weight): (u32, f32)| json!({"index": token, "value": weight});
    let mut lists: Vec<Vec<_>> = texts.iter().map(|text| sparse(text).into_iter().map(entry).collect()).collect();
    match fault {
        Some(Fault::Nan) => lists[0][0]["value"] = Value::Null,
        Some(Fault::OutOfRange) => lists[0][0]["index"] = json!(-1),
        // Nothing says which list is whose, so a server has nothing but their order.
        Some(Fault::Shuffled) => lists.iter_mut().for_each(|list| list.reverse()),
        fault => spoil(&mut lists, fault),
    }
    json!(lists)
}

fn ranked(asked: &Value, fault: Option<Fault>) -> Value {
    let query = asked["query"].as_str().unwrap_or_default();
    let mut scores: Vec<_> = texts(&asked["texts"]).iter().map(|text| score(query, text)).enumerate().collect();
    scores.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let mut items: Vec<_> = scores.into_iter().map(|(index, score)| json!({"index": index, "score": score})).collect();
    match fault {
        Some(Fault::Nan) => items[0]["score"] = Value::Null,
        Some(Fault::OutOfRange) => items[0]["index"] = json!(items.len()),
        fault => spoil(&mut items, fault),
    }
    items.into()
}

fn spoil<T>(items: &mut Vec<T>, fault: Option<Fault>) {
    match fault {
        Some(Fault::Short) => _ = items.pop(),
        Some(Fault::Shuffled) => items.reverse(),
        _ => {}
    }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn seed(text: &str) -> u64 {
    text.bytes().fold(7, |seed, byte| Random::seeded(seed ^ u64::from(byte)).draw())
}

const FAULTS: &[Fault] = &[Fault::Hang, Fault::RateLimit, Fault::Short, Fault::Shuffled, Fault::Nan, Fault::OutOfRange];
