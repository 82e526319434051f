use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use pin_project_lite::pin_project;
use tower_service::Service;
use trysail_core::Failure;

use crate::{
    EmbedError, EmbedRequest, EmbedResponse,
    asked::Asked,
    service::Shared,
    validate::{self, Expected, Flaw},
};

pin_project! {
    /// The call, a second one where the server does not know base64, and the check of the answer.
    pub struct ResponseFuture<S>
    where
        S: Service<Request<Full<Bytes>>>,
    {
        #[pin]
        state: State<S, S::Future>,
        request: EmbedRequest,
        shared: Arc<Shared>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, F> {
        Calling { #[pin] call: F, fallback: Option<S> },
        Readying { service: S },
    }
}

impl<S> ResponseFuture<S>
where
    S: Service<Request<Full<Bytes>>>,
{
    pub(crate) const fn new(call: S::Future, request: EmbedRequest, fallback: Option<S>, shared: Arc<Shared>) -> Self {
        Self { state: State::Calling { call, fallback }, request, shared }
    }
}

impl<S, E> Future for ResponseFuture<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<Bytes>, Error = Failure<Response<Bytes>, E>>,
    E: Error + Send + Sync + 'static,
{
    type Output = Result<EmbedResponse, EmbedError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Calling { call, fallback } => match (ready!(call.poll(cx)), fallback.take()) {
                    (Err(Failure::Response { response, .. }), Some(service)) if names_encoding(&response) => {
                        this.shared.floats_only.store(true, Relaxed);
                        State::Readying { service }
                    }
                    (Err(failure), _) => return Poll::Ready(Err(this.shared.error(failure, this.request))),
                    (Ok(response), _) => {
                        let expected = Expected {
                            count: this.request.len(),
                            dimensions: this.request.wanted_dimensions(),
                            floats: this.request.wants_floats(),
                        };
                        let answer = validate::vectors(&response, this.shared.endpoint.api, expected);
                        return Poll::Ready(
                            answer.map_err(|flaw| this.shared.unusable(flaw, response, expected, this.request)),
                        );
                    }
                },
                StateProj::Readying { service } => {
                    if let Err(failure) = ready!(service.poll_ready(cx)) {
                        return Poll::Ready(Err(this.shared.error(failure, this.request)));
                    }
                    let request = this.shared.endpoint.request(this.request, &this.shared.endpoint.api.floats);
                    State::Calling { call: service.call(request), fallback: None }
                }
            };
            this.state.set(next);
        }
    }
}

impl<S> fmt::Debug for ResponseFuture<S>
where
    S: Service<Request<Full<Bytes>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("request", &self.request).finish_non_exhaustive()
    }
}

impl Shared {
    fn error<E>(&self, failure: Failure<Response<Bytes>, E>, request: &EmbedRequest) -> EmbedError
    where
        E: Error + Send + Sync + 'static,
    {
        EmbedError::of(failure, self.asked(request))
    }

    /// For an answer without usable vectors.
    fn unusable(
        &self,
        flaw: Flaw,
        mut response: Response<Bytes>,
        expected: Expected,
        request: &EmbedRequest,
    ) -> EmbedError {
        match validate::error_inside(flaw, &mut response, expected) {
            Some(verdict) => EmbedError::answered(verdict, &response, self.asked(request)),
            None => flaw.into(),
        }
    }

    const fn asked<'a>(&'a self, request: &'a EmbedRequest) -> Asked<'a> {
        Asked { endpoint: &self.endpoint, request: Some(request) }
    }
}

/// Whether the server refused the request for what it says about the encoding, and does not merely repeat it.
fn names_encoding(response: &Response<Bytes>) -> bool {
    if !matches!(response.status(), StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) {
        return false;
    }
    let body = response.body();
    let body = String::from_utf8_lossy(&body[..body.len().min(64 << 10)]);
    body.split(NAME).skip(1).any(|after| !is_key(after))
}

/// Whether what follows a name makes it the key of a JSON object, however often that was quoted.
fn is_key(after: &str) -> bool {
    after.trim_start_matches('\\').strip_prefix(['"', '\'']).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

const NAME: &str = "encoding_format";
