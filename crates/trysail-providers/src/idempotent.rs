use std::time::Duration;

use http::{Method, Request, Uri};
use trysail_core::Replay;
use trysail_http::OrRoute;

/// Says which requests to an embedding server may be sent twice, and marks those that may.
///
/// As a [`Replay`] it repeats what [`trysail_http::Idempotent`] does (idempotent methods, marked requests, those with an
/// `Idempotency-Key`), and `POST`s to [routes that compute and change nothing](is_pure): `/v1/embeddings`, `/embed`,
/// `/rerank`. It marks attempts alike and reads the same deadline. In the extensions of a request it is a mark of its own,
/// and takes that of trysail-http as well.
///
/// ```
/// # use trysail_core::Replay;
/// # use trysail_providers::Idempotent;
/// let embed = http::Request::post("https://example.com/v1/embeddings").body("{}")?;
/// assert!(Idempotent.replay(&embed).is_some());
///
/// let mut chat = http::Request::post("https://example.com/v1/chat/completions").body("{}")?;
/// assert!(Idempotent.replay(&chat).is_none());
/// chat.extensions_mut().insert(Idempotent);
/// assert!(Idempotent.replay(&chat).is_some());
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Idempotent;

impl Idempotent {
    /// [`trysail_http::Idempotent::keyed`]: gives `request` an `Idempotency-Key` of its own, unless it has one.
    pub fn keyed<B>(request: Request<B>) -> Request<B> {
        trysail_http::Idempotent::keyed(request)
    }

    /// [`trysail_http::Idempotent::unmarked`]: takes the mark of an outer retry off.
    pub fn unmarked<B>(request: Request<B>) -> Request<B> {
        trysail_http::Idempotent::unmarked(request)
    }
}

impl<B: Clone> Replay<Request<B>> for Idempotent {
    fn replay(&self, request: &Request<B>) -> Option<Request<B>> {
        pure(request).replay(request)
    }

    fn divert(&self, request: &Request<B>) -> Option<Request<B>> {
        pure(request).divert(request)
    }

    fn mark(&self, request: &mut Request<B>, attempt: u32) {
        PLAIN.mark(request, attempt);
    }

    fn left(&self, request: &Request<B>) -> Option<Duration> {
        PLAIN.left(request)
    }
}

fn pure<B>(request: &Request<B>) -> OrRoute<impl Fn(&Method, &Uri) -> bool> {
    let marked = request.extensions().get::<Idempotent>().is_some();
    PLAIN.or_route(move |method: &Method, uri: &Uri| marked || is_pure(method, uri))
}

/// Whether a call computes and changes nothing, as far as its method and the end of its path tell.
pub fn is_pure(method: &Method, uri: &Uri) -> bool {
    let path = uri.path().trim_end_matches('/');
    method == Method::POST && PURE.iter().any(|route| path.ends_with(route))
}

const PLAIN: trysail_http::Idempotent = trysail_http::Idempotent;
/// OpenAI and its compatibles; TEI, Ollama and Cohere; TEI alone; Jina, Cohere, Voyage, TEI and vLLM; llama.cpp; Gemini.
const PURE: &[&str] = &[
    "/embeddings",
    "/embed",
    "/embed_all",
    "/embed_sparse",
    "/rerank",
    "/reranking",
    ":embedContent",
    ":batchEmbedContents",
];
