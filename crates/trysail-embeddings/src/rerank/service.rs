use std::{
    error::Error,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower_service::Service;
use trysail_core::Failure;

use super::{jobs::JOBS, request::guard};
use crate::{
    AnswerFuture, EmbedError, Endpoint, InvalidEndpoint, RerankRequest, RerankResponse, asked::Asked, call::Job,
};

/// Scores of texts against a query, over an HTTP service that collects and classifies.
///
/// It stands where [`Embeddings`](crate::Embeddings) does, and its answers are checked as strictly: a score for each text
/// (or for the [`top_n`](RerankRequest::top_n)), each index once and in range, every score a finite number. They come
/// back sorted, whatever order the server had.
///
/// | endpoint | asked at | with |
/// |---|---|---|
/// | [`Endpoint::tei`] | `/rerank` | `query`, `texts` |
/// | [`Endpoint::openai`] (Jina, vLLM, Infinity, llama.cpp, LiteLLM) | `/rerank` | `model`, `query`, `documents`, `top_n` |
/// | [`Endpoint::cohere`] | `/v2/rerank` | `model`, `query`, `documents`, `top_n` |
/// | [`Endpoint::voyage`] | `/rerank` | `model`, `query`, `documents`, `top_k`, `truncation` |
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use trysail_core::Failure;
/// use tower::{Service, ServiceExt};
/// use trysail_embeddings::{Endpoint, Rerank, RerankRequest};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let client = tower::service_fn(|_: Request<Full<Bytes>>| async {
/// #     let body = r#"[{"index":0,"score":0.1},{"index":1,"score":0.9}]"#;
/// #     Ok::<_, Failure<Response<Bytes>, std::io::Error>>(Response::new(body.into()))
/// # });
/// let mut rerank = Rerank::new(client, Endpoint::tei("http://localhost:8080")?)?;
///
/// let request = RerankRequest::new("bge-reranker-base", "which sail in a storm?", ["a spinnaker", "a trysail"]);
/// let answer = rerank.ready().await?.call(request).await?;
/// assert_eq!(answer.ranks()[0].index(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Rerank<S> {
    inner: S,
    endpoint: Arc<Endpoint>,
    job: &'static Job,
}

impl<S> Rerank<S> {
    /// Calls the server of `endpoint` through `inner`.
    ///
    /// # Errors
    ///
    /// It must be one of those above, and have no field that a request has a word for.
    pub fn new(inner: S, endpoint: Endpoint) -> Result<Self, InvalidEndpoint> {
        endpoint.own.fields().try_for_each(|(name, _)| guard(name))?;
        let (job, endpoint) = Job::of(&JOBS, endpoint, "scores")?;
        Ok(Self { inner, endpoint: Arc::new(endpoint), job })
    }
}

impl<S, E> Service<RerankRequest> for Rerank<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<Bytes>, Error = Failure<Response<Bytes>, E>>,
    E: Error + Send + Sync + 'static,
{
    type Response = RerankResponse;
    type Error = EmbedError;
    type Future = AnswerFuture<S::Future, RerankRequest, RerankResponse>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), EmbedError>> {
        let asked = Asked { endpoint: &self.endpoint, request: None };
        self.inner.poll_ready(cx).map_err(|failure| EmbedError::of(failure, asked))
    }

    fn call(&mut self, request: RerankRequest) -> Self::Future {
        let (sent, request) = request.told(self.job.top_n);
        let call = self.inner.call(self.endpoint.request(&sent, &self.job.form));
        AnswerFuture::new(call, request, Arc::clone(&self.endpoint), RerankResponse::read)
    }
}
