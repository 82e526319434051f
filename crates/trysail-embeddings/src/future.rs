use std::{
    error::Error,
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
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
    /// Where attempts at a request keep failing, an input goes first, to find out whether the server is there; and where all
    /// requests are refused, one goes first in another form than the usual.
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
        First { #[pin] exchange: Exchange<S>, asked: EmbedRequest, service: S },
        Readying { service: S, known: Known },
        Asking { #[pin] exchange: Exchange<S>, known: Known },
        Over { refused: Option<EmbedError> },
    }
}

/// What the exchange before has shown.
enum Known {
    Nothing,
    /// The server answers.
    Alive,
    /// The server answers the request, if it is asked in a form so much later.
    Answer(EmbedResponse, usize),
}

impl<S> ResponseFuture<S>
where
    S: Service<Request<Full<Bytes>>>,
{
    pub(crate) const fn asking(exchange: Exchange<S>, request: EmbedRequest, shared: Arc<Shared>) -> Self {
        Self { state: State::Asking { exchange, known: Known::Nothing }, request, shared }
    }

    /// Waits for the exchange in which something was `asked` first, and then asks `service`.
    pub(crate) const fn after(
        exchange: Exchange<S>,
        asked: EmbedRequest,
        service: S,
        request: EmbedRequest,
        shared: Arc<Shared>,
    ) -> Self {
        Self { state: State::First { exchange, asked, service }, request, shared }
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
                StateProj::First { exchange, asked, .. } => match ready!(exchange.poll(cx)) {
                    Ok(answer) => {
                        let known = shared.known(this.request, asked, answer);
                        match this.state.as_mut().project_replace(State::Over { refused: None }) {
                            StateOwn::First { service, .. } => State::Readying { service, known },
                            _ => unreachable!("it is the first exchange that has ended"),
                        }
                    }
                    Err(error) if this.request.later_form() == 0 => {
                        shared.probe_failed(this.request);
                        this.state.set(State::Over { refused: None });
                        return Poll::Ready(Err(error));
                    }
                    Err(error) => break Err(error),
                },
                StateProj::Readying { service, known } => {
                    let ready = ready!(service.poll_ready(cx));
                    let known = mem::replace(known, Known::Nothing);
                    match ready {
                        Ok(()) => {
                            let exchange = Exchange::begin(service, this.request.clone(), this.shared);
                            State::Asking { exchange, known }
                        }
                        Err(failure) => {
                            break shared.weigh(known, Err(shared.error(failure, this.request)), this.request);
                        }
                    }
                }
                StateProj::Asking { exchange, known } => {
                    let outcome = ready!(exchange.poll(cx));
                    break shared.weigh(mem::replace(known, Known::Nothing), outcome, this.request);
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

impl Shared {
    /// What an answer to the first exchange shows.
    fn known(&self, request: &EmbedRequest, asked: &EmbedRequest, answer: EmbedResponse) -> Known {
        match request.later_form() {
            0 => {
                self.probe_answered(request, asked);
                Known::Alive
            }
            later => {
                // The usual form may do as well, and is the better one.
                request.ask_in_later_form(0);
                Known::Answer(answer, later)
            }
        }
    }

    /// What the outcome comes to, after what is known already.
    fn weigh(
        &self,
        known: Known,
        outcome: Result<EmbedResponse, EmbedError>,
        request: &EmbedRequest,
    ) -> Result<EmbedResponse, EmbedError> {
        match (known, outcome) {
            (Known::Alive, Err(error)) => Err(error.neutral()),
            (Known::Answer(answer, later), Err(error)) => {
                if error.is_heard() {
                    request.ask_in_later_form(later);
                    self.form.fetch_max(self.form_of(request), Relaxed);
                }
                Ok(answer)
            }
            (_, outcome) => outcome,
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
