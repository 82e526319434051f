use std::{future::pending, sync::Arc};

use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Shared,
    answer::Answer,
    connection::Line,
    deliver::deliver,
    error::{ApiError, bearer, mask},
    journal::{DOWN, Draw},
    refusal::refusal,
    request::EmbeddingRequest,
};
use crate::faults::Fault;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(EMBEDDINGS, post(embeddings))
        .route("/v1/models", get(models))
        .route("/healthz", get(async || "ok"))
        .fallback(async |method: Method, uri: Uri| {
            ApiError::new(StatusCode::NOT_FOUND, format!("Invalid URL ({method} {})", uri.path()))
        })
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            let message = format!("Invalid method for URL ({method} {})", uri.path());
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message)
        })
        .layer(DefaultBodyLimit::max(64 << 20))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), receive))
        .with_state(shared)
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    Extension(line): Extension<Line>,
    mut request: Request,
    next: Next,
) -> Response {
    if shared.is_down() {
        shared.journal.fault(DOWN);
        line.reset();
        return pending().await;
    }
    let path = request.uri().path();
    if path == EMBEDDINGS && request.method() == Method::POST {
        let draw = shared.journal.draw(path, request.headers(), &shared.settings.plan);
        request.extensions_mut().insert(draw);
    } else {
        shared.journal.log(path, request.headers());
    }
    next.run(request).await
}

async fn embeddings(
    State(shared): State<Arc<Shared>>,
    Extension(line): Extension<Line>,
    Extension(draw): Extension<Draw>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = EmbeddingRequest::parse(&body);
    shared.journal.inputs(request.as_ref().map_or(0, |request| request.inputs.len()));
    match draw.fault {
        Some(Fault::Hang) => return pending().await,
        Some(Fault::Reset) => {
            line.reset();
            return pending().await;
        }
        Some(Fault::Slow(pause)) => sleep(pause).await,
        _ => {}
    }
    if let Some(refusal) = draw.fault.and_then(|fault| refusal(fault, &headers)) {
        return refusal;
    }
    match shared.answer(request, &headers) {
        Ok(answer) => deliver(answer.spoil(draw).into_json(), draw.fault, line),
        Err(error) if shared.settings.echo => error.echo(&headers, &body).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn models(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Json<Value>, ApiError> {
    shared.authorise(&headers)?;
    let models: Vec<_> = shared
        .models()
        .map(|id| json!({ "id": id, "object": "model", "created": 1_730_000_000, "owned_by": "minishlab" }))
        .collect();
    Ok(Json(json!({ "object": "list", "data": models })))
}

impl Shared {
    fn answer(&self, request: Result<EmbeddingRequest, ApiError>, headers: &HeaderMap) -> Result<Answer, ApiError> {
        self.authorise(headers)?;
        let request = request?;
        if !self.models().any(|model| model == request.model) {
            return Err(ApiError::no_model(&request.model));
        }
        if request.base64 && self.settings.floats_only {
            let message = "Unsupported value: 'encoding_format' does not support 'base64' with this model.";
            return Err(ApiError::bad_request(message).param("encoding_format").code("unsupported_value"));
        }
        Answer::new(request)
    }

    fn authorise(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(wanted) = &self.settings.key else { return Ok(()) };
        match bearer(headers) {
            Some(key) if key == wanted => Ok(()),
            Some(key) => Err(ApiError::bad_key(&mask(key))),
            None => Err(ApiError::no_key()),
        }
    }
}

const EMBEDDINGS: &str = "/v1/embeddings";
