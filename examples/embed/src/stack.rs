//! The service that every batch calls.

use std::{sync::Arc, time::Duration};

use http_body_util::Full;
use tower::{Service, ServiceBuilder};
use trysail::{
    Classified, Client, EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint, HttpLayer, HttpRequest, Preset,
    embeddings::Usage,
    record::{Exchange, Recorder},
};

use crate::{board::Board, heard::hear, reason::chain};

/// Typed calls to `endpoint` over `client`, kept under command by `preset`, and what they use up; a body may be silent for
/// `idle`.
pub(crate) fn stack(
    client: Client<Full<bytes::Bytes>>,
    idle: Duration,
    endpoint: Endpoint,
    preset: &Preset,
    board: &Arc<Board>,
    recorder: Option<Recorder<impl Fn(&Exchange) + Clone + Send + 'static>>,
) -> (
    impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError, Future: Send> + Clone + Send + 'static,
    Usage,
) {
    let (wire, failures) = (Arc::clone(board), Arc::clone(board));
    let client = ServiceBuilder::new()
        .layer(HttpLayer::new().idle(idle))
        .map_request(move |request: HttpRequest| {
            wire.request();
            request
        })
        .service(client);
    let calls = Embeddings::new(client, endpoint);
    let usage = calls.usage().clone();
    let service = ServiceBuilder::new()
        .option_layer(recorder.as_ref().map(Recorder::calls))
        .layer(preset)
        .option_layer(recorder.as_ref().map(Recorder::attempts))
        .map_err(move |error: EmbedError| {
            let reason = chain(&error).into();
            hear(&reason);
            // Beside the events of the stack, which know the class but not the words.
            tracing::debug!(target: "trysail::embed", rule = error.rule(), error = %reason, "attempt failed");
            failures.failure(error.verdict().class(), reason);
            error
        })
        .service(calls);
    (service, usage)
}
