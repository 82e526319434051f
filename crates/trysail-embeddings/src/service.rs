use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, header};
use http_body_util::Full;
use tower_service::Service;
use trysail_core::Failure;
use trysail_http::Idempotent;

use crate::{
    EmbedError, EmbedRequest, EmbedResponse, Endpoint, ResponseFuture,
    api::Form,
    asked::Asked,
    capacity::Capacity,
    exchange::Exchange,
    own::{IDEMPOTENCY_KEY, derived},
    request::Encoded,
    usage::Usage,
};

/// Typed embedding calls over an HTTP service that collects and classifies.
///
/// Base64 is asked for, where the endpoint has it, until the server refuses that, or answers with an empty list; then the
/// same call asks for numbers, and if `encoding_format` itself is refused, without it. What has helped is what all later
/// calls of this service and its clones begin with.
///
/// Retries may be above or below: the attempts of one above carry its mark, and one below leaves those alone.
pub struct Embeddings<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// What all clones of a service know about their server.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) endpoint: Endpoint,
    /// Which form the server takes, as far as is known.
    pub(crate) form: AtomicUsize,
    pub(crate) capacity: Arc<Capacity>,
    pub(crate) usage: Usage,
}

impl<S> Embeddings<S> {
    /// Calls `endpoint` through `inner`.
    pub fn new(inner: S, endpoint: Endpoint) -> Self {
        let (form, capacity, usage) = (AtomicUsize::new(0), Arc::default(), Usage::default());
        Self { inner, shared: Arc::new(Shared { endpoint, form, capacity, usage }) }
    }

    /// What the requests of this service and its clones use up of the account.
    pub fn usage(&self) -> &Usage {
        &self.shared.usage
    }
}

impl Shared {
    /// In which form a request is asked first.
    pub(crate) fn form_of(&self, request: &EmbedRequest) -> usize {
        let api = self.endpoint.api;
        let usual = api.first(request.wants_floats()).max(self.form.load(Relaxed));
        (usual + request.later_form()).min(api.forms.len() - 1)
    }
}

impl<S, E> Service<EmbedRequest> for Embeddings<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<Bytes>, Error = Failure<Response<Bytes>, E>> + Clone,
    E: Error + Send + Sync + 'static,
{
    type Response = EmbedResponse;
    type Error = EmbedError;
    type Future = ResponseFuture<S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), EmbedError>> {
        let asked = Asked { endpoint: &self.shared.endpoint, request: None };
        self.inner.poll_ready(cx).map_err(|failure| EmbedError::of(failure, asked))
    }

    fn call(&mut self, request: EmbedRequest) -> ResponseFuture<S> {
        if let Some(error) = self.shared.refuse(&request) {
            return ResponseFuture::refused(error, request, Arc::clone(&self.shared));
        }
        let shared = Arc::clone(&self.shared);
        let first = match shared.probe(&request) {
            Some(probe) => probe,
            None if request.later_form() > 0 => request.clone(),
            None => {
                let exchange = Exchange::begin(&mut self.inner, request.clone(), &shared);
                return ResponseFuture::asking(exchange, request, shared);
            }
        };
        let exchange = Exchange::begin(&mut self.inner, first.clone(), &shared);
        ResponseFuture::after(exchange, first, self.inner.clone(), request, shared)
    }
}

impl<S> Exchange<S>
where
    S: Service<Request<Full<Bytes>>> + Clone,
{
    /// Calls `inner`, which is ready.
    pub(crate) fn begin(inner: &mut S, request: EmbedRequest, shared: &Arc<Shared>) -> Self {
        let api = shared.endpoint.api;
        let form = shared.form_of(&request);
        let call = inner.call(shared.endpoint.request(&request, &api.forms[form]));
        // Behind a gateway the next model may know less than the last, so one success proves nothing.
        let fallback = (form + 1 < api.forms.len()).then(|| inner.clone());
        Self::new(call, form, request, fallback, Arc::clone(shared))
    }
}

impl Endpoint {
    pub(crate) fn request(&self, request: &EmbedRequest, form: &Form) -> Request<Full<Bytes>> {
        let Encoded { body, key, .. } = request.encoded(form, &self.own);
        let mut http = Request::new(Full::new(body));
        *http.method_mut() = http::Method::POST;
        *http.uri_mut() = request.own().add_to(&self.own.add_to(&self.uri));
        let headers = http.headers_mut();
        headers.insert(header::CONTENT_TYPE, JSON);
        headers.insert(header::ACCEPT, JSON);
        if let Some(attempt) = request.attempt() {
            headers.insert(RETRY_COUNT, HeaderValue::from(attempt.saturating_sub(1)));
        }
        if let Some(sent) = &self.sent {
            headers.insert(self.api.key.0.clone(), sent.clone());
        }
        self.own.write_headers(headers);
        request.own().write_headers(headers);
        match request.own().key() {
            // The first body, which the server did not understand, has taken the key.
            Some(own) if form.slot != self.api.forms[self.api.first(request.wants_floats())].slot => {
                headers.insert(IDEMPOTENCY_KEY, derived(own, form.encoding().unwrap_or("plain")));
            }
            None if request.is_keyed() => _ = headers.insert(IDEMPOTENCY_KEY, key.value()),
            _ => {}
        }
        let extensions = http.extensions_mut();
        extensions.insert(Idempotent);
        extensions.insert(key);
        if let Some(deadline) = request.own_deadline() {
            extensions.insert(deadline);
        }
        http
    }
}

impl<S: Clone> Clone for Embeddings<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<S: fmt::Debug> fmt::Debug for Embeddings<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embeddings").field("inner", &self.inner).field("endpoint", &self.shared.endpoint).finish()
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const RETRY_COUNT: HeaderName = HeaderName::from_static("x-retry-count");
