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

use crate::{
    AnswerFuture, EmbedError, EmbedRequest, Endpoint, InvalidEndpoint, SparseResponse,
    api::{self, Form},
    asked::Asked,
    call::Job,
};

/// Sparse vectors of texts, over an HTTP service that collects and classifies.
///
/// It stands where [`Embeddings`](crate::Embeddings) does, takes the same requests, and its answers are checked as
/// strictly: one vector for each text, each token once, every weight a finite number. What else a server wants to know,
/// such as `truncate` or `encode_type`, is a field of endpoint or request.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use trysail_core::Failure;
/// use tower::{Service, ServiceExt};
/// use trysail_embeddings::{EmbedRequest, Endpoint, Sparse};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let client = tower::service_fn(|_: Request<Full<Bytes>>| async {
/// #     let body = r#"[[{"index":9,"value":0.5},{"index":2,"value":1.5}]]"#;
/// #     Ok::<_, Failure<Response<Bytes>, std::io::Error>>(Response::new(body.into()))
/// # });
/// let endpoint = Endpoint::tei("http://localhost:8080")?.field("truncate", true)?;
/// let mut sparse = Sparse::new(client, endpoint)?;
///
/// let answer = sparse.ready().await?.call(EmbedRequest::new("splade", ["fair wind"])).await?;
/// assert_eq!(answer.vectors().collect::<Vec<_>>(), [[(2, 1.5), (9, 0.5)]]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sparse<S> {
    inner: S,
    endpoint: Arc<Endpoint>,
    job: &'static Job,
}

impl<S> Sparse<S> {
    /// Calls the server of `endpoint` through `inner`, at `/embed_sparse`.
    ///
    /// # Errors
    ///
    /// It must be one of [`Endpoint::tei`]: others have no sparse vectors.
    pub fn new(inner: S, endpoint: Endpoint) -> Result<Self, InvalidEndpoint> {
        let (job, endpoint) = Job::of(&JOBS, endpoint, "sparse vectors")?;
        Ok(Self { inner, endpoint: Arc::new(endpoint), job })
    }
}

impl<S, E> Service<EmbedRequest> for Sparse<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<Bytes>, Error = Failure<Response<Bytes>, E>>,
    E: Error + Send + Sync + 'static,
{
    type Response = SparseResponse;
    type Error = EmbedError;
    type Future = AnswerFuture<S::Future, EmbedRequest, SparseResponse>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), EmbedError>> {
        let asked = Asked { endpoint: &self.endpoint, request: None };
        self.inner.poll_ready(cx).map_err(|failure| EmbedError::of(failure, asked))
    }

    fn call(&mut self, request: EmbedRequest) -> Self::Future {
        let call = self.inner.call(self.endpoint.request(&request, &self.job.form));
        AnswerFuture::new(call, request, Arc::clone(&self.endpoint), SparseResponse::read)
    }
}

static JOBS: [Job; 1] = [Job {
    api: &api::TEI,
    beside: "/embed",
    path: "/embed_sparse",
    form: Form { slot: 20, model: None, inputs: "inputs", dimensions: "dimensions", fixed: &[] },
    top_n: None,
}];
