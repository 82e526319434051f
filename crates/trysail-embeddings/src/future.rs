use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use pin_project_lite::pin_project;
use tower_service::Service;
use trysail_core::Failure;

use crate::{EmbedError, EmbedRequest, EmbedResponse, exchange::Exchange, service::Shared};

pin_project! {
    /// The exchange with the server, and what is learnt from it.
    ///
    /// Where attempts at a request keep failing, an input of it goes first.
    pub struct ResponseFuture<S>
    where
        S: Service<Request<Full<Bytes>>>,
    {
        #[pin]
        state: State<S>,
        request: EmbedRequest,
        shared: Arc<Shared>,
    }

    impl<S> PinnedDrop for ResponseFuture<S>
    where
        S: Service<Request<Full<Bytes>>>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if !matches!(&*this.state, State::Over { .. }) {
                this.shared.abandoned(this.request);
            }
        }
    }
}

pin_project! {
    #[project = StateProj]
    #[project_replace = StateOwn]
    enum State<S>
    where
        S: Service<Request<Full<Bytes>>>,
    {
        Probing { #[pin] probe: Exchange<S>, service: S },
        Readying { service: S },
        Asking { #[pin] exchange: Exchange<S>, probed: bool },
        Over { refused: Option<EmbedError> },
    }
}

impl<S> ResponseFuture<S>
where
    S: Service<Request<Full<Bytes>>>,
{
    pub(crate) const fn asking(exchange: Exchange<S>, request: EmbedRequest, shared: Arc<Shared>) -> Self {
        Self { state: State::Asking { exchange, probed: false }, request, shared }
    }

    /// Waits for a `probe` first, and then asks `service` for the whole.
    pub(crate) const fn probing(probe: Exchange<S>, service: S, request: EmbedRequest, shared: Arc<Shared>) -> Self {
        Self { state: State::Probing { probe, service }, request, shared }
    }

    pub(crate) const fn refused(error: EmbedError, request: EmbedRequest, shared: Arc<Shared>) -> Self {
        Self { state: State::Over { refused: Some(error) }, request, shared }
    }
}

impl<S, E> Future for ResponseFuture<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<Bytes>, Error = Failure<Response<Bytes>, E>> + Clone,
    E: Error + Send + Sync + 'static,
{
    type Output = Result<EmbedResponse, EmbedError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let shared = &*this.shared;
        let outcome = loop {
            let next = match this.state.as_mut().project() {
                StateProj::Probing { probe, .. } => match ready!(probe.poll(cx)) {
                    Ok(_) => {
                        shared.probe_answered();
                        match this.state.as_mut().project_replace(State::Over { refused: None }) {
                            StateOwn::Probing { service, .. } => State::Readying { service },
                            _ => unreachable!("it was probing"),
                        }
                    }
                    Err(error) => break Err(error),
                },
                StateProj::Readying { service } => match ready!(service.poll_ready(cx)) {
                    Ok(()) => {
                        let exchange = Exchange::begin(service, this.request.clone(), this.shared);
                        State::Asking { exchange, probed: true }
                    }
                    Err(failure) => break Err(shared.error(failure, this.request)),
                },
                StateProj::Asking { exchange, probed } => {
                    let outcome = ready!(exchange.poll(cx));
                    // The server has just answered an input of it.
                    break if *probed { outcome.map_err(EmbedError::neutral) } else { outcome };
                }
                StateProj::Over { refused } => {
                    return Poll::Ready(Err(refused.take().expect("it is not polled after the end")));
                }
            };
            this.state.set(next);
        };
        this.state.set(State::Over { refused: None });
        Poll::Ready(match outcome {
            Ok(answer) => {
                shared.answered(this.request, &answer);
                Ok(answer)
            }
            Err(error) => Err(shared.failed(error, this.request)),
        })
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
