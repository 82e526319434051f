use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::BoxError;
use trysail::{HttpClient, transport::respond_to};

use crate::{DataSet, Limits, Search, Vectors};

/// All that the routes share.
#[derive(Debug)]
pub struct App {
    /// By the name in the path.
    pub sets: BTreeMap<String, DataSet>,
    /// Who asks.
    pub search: Search<HttpClient>,
    /// The limits that it keeps to.
    pub limits: Limits,
    /// Where metrics are read.
    pub metrics: PrometheusHandle,
}

/// Queries, ingest, limits and metrics.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/{set}/query", post(query))
        .route("/{set}/rerank", post(rerank))
        .route("/{set}/texts", post(ingest))
        .route("/admin/limits", get(limits).put(set_limits))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(app))
}

#[derive(Deserialize)]
struct Rankable {
    query: String,
    texts: Vec<String>,
    top_n: Option<usize>,
}

type Shared = State<Arc<App>>;

async fn query(State(app): Shared, Path(set): Path<String>, Json(text): Json<String>) -> Result<Json<Vectors>, Failed> {
    let set = app.set(&set)?;
    let (dense, sparse) = tokio::try_join!(app.search.dense(set, &text), app.search.sparse(set, &text))?;
    Ok(Json(Vectors { dense, sparse }))
}

async fn rerank(
    State(app): Shared,
    Path(set): Path<String>,
    Json(Rankable { query, texts, top_n }): Json<Rankable>,
) -> Result<Json<Value>, Failed> {
    let ranking = app.search.rank(app.set(&set)?, &query, texts, top_n).await?;
    let ranks = ranking.answer.ranks().iter().map(|rank| json!({"index": rank.index(), "score": rank.score()}));
    let missing = ranking.missing.iter().map(|error| json!({"texts": error.inputs(), "why": error.to_string()}));
    Ok(Json(json!({"ranks": Value::from_iter(ranks), "missing": Value::from_iter(missing)})))
}

async fn ingest(
    State(app): Shared,
    Path(set): Path<String>,
    Json(texts): Json<Vec<String>>,
) -> Result<Json<Value>, Failed> {
    let found = app.search.ingest(app.set(&set)?, &texts).await?;
    Ok(Json(
        found.into_iter().map(|found| found.map_or_else(|why| json!({"why": why}), |found| json!(found))).collect(),
    ))
}

async fn limits(State(app): Shared) -> Json<BTreeMap<&'static str, u128>> {
    Json(app.limits.get())
}

async fn set_limits(State(app): Shared, Json(limits): Json<BTreeMap<String, u64>>) -> Response {
    match app.limits.set(&limits) {
        Ok(()) => Json(app.limits.get()).into_response(),
        Err(why) => (StatusCode::UNPROCESSABLE_ENTITY, why).into_response(),
    }
}

async fn metrics(State(app): Shared) -> String {
    app.search.publish();
    app.metrics.run_upkeep();
    app.metrics.render()
}

impl App {
    fn set(&self, name: &str) -> Result<&DataSet, Failed> {
        self.sets.get(name).ok_or(Failed::NoSet)
    }
}

enum Failed {
    NoSet,
    Call(BoxError),
}

impl From<BoxError> for Failed {
    fn from(error: BoxError) -> Self {
        Self::Call(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        match self {
            Self::NoSet => (StatusCode::NOT_FOUND, "there is no such data set").into_response(),
            Self::Call(error) => respond_to(&*error, true, error.to_string()).map(Into::into),
        }
    }
}
