use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use pin_project_lite::pin_project;
use tower_service::Service;
use trysail_core::{Class, Classified, Failure, Retryable};

use crate::{
    EmbedError, EmbedRequest, EmbedResponse, Endpoint,
    asked::Asked,
    encoding,
    service::Shared,
    usage::Ending,
    validate::{self, Expected, Flaw},
};

pin_project! {
    /// The call, others where the server does not take how it asks for the encoding, and the check of the answer.
    pub(crate) struct Exchange<S>
    where
        S: Service<Request<Full<Bytes>>>,
    {
        #[pin]
        state: State<S, S::Future>,
        // Of the call that is under way, and of the first.
        form: usize,
        first: usize,
        request: EmbedRequest,
        shared: Arc<Shared>,
        // Whether a request is under way.
        is_sent: bool,
    }

    impl<S> PinnedDrop for Exchange<S>
    where
        S: Service<Request<Full<Bytes>>>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if *this.is_sent {
                this.shared.usage.count(this.request, Ending::Abandoned);
            }
        }
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, F> {
        Calling { #[pin] call: F, fallback: Option<S> },
        Readying { service: S },
    }
}

impl<S> Exchange<S>
where
    S: Service<Request<Full<Bytes>>>,
{
    pub(crate) const fn new(
        call: S::Future,
        form: usize,
        request: EmbedRequest,
        fallback: Option<S>,
        shared: Arc<Shared>,
    ) -> Self {
        Self { state: State::Calling { call, fallback }, form, first: form, request, shared, is_sent: true }
    }
}

impl<S, E> Future for Exchange<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<Bytes>, Error = Failure<Response<Bytes>, E>> + Clone,
    E: Error + Send + Sync + 'static,
{
    type Output = Result<EmbedResponse, EmbedError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (shared, request) = (&**this.shared, &*this.request);
        let Endpoint { api, .. } = shared.endpoint;
        let expected =
            Expected { count: request.len(), dimensions: request.wanted_dimensions(), floats: request.wants_floats() };
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Calling { call, fallback } => {
                    let outcome = ready!(call.poll(cx)).map(|response| {
                        let answer = validate::vectors(&response, api, expected);
                        (answer, response)
                    });
                    *this.is_sent = false;
                    if let Some(ending) = ending(outcome.as_ref().map(|(answer, _)| answer)) {
                        shared.usage.count(request, ending);
                    }
                    let asked = api.forms[*this.form].encoding().unwrap_or_default();
                    let refused = match &outcome {
                        Err(Failure::Response { response, .. }) => encoding::is_refused(response, asked),
                        Err(_) | Ok((Ok(_), _)) => false,
                        Ok((Err(flaw), response)) => {
                            encoding::is_unanswered(*flaw, response, asked, expected)
                                || encoding::is_refused(response, asked)
                        }
                    };
                    match fallback.take().filter(|_| refused) {
                        Some(service) => {
                            *this.form += 1;
                            State::Readying { service }
                        }
                        None => {
                            let result = match outcome {
                                Ok((Ok(answer), _)) => Ok(answer),
                                Ok((Err(flaw), response)) => Err(shared.unusable(flaw, response, expected, request)),
                                Err(failure) => Err(shared.error(failure, request)),
                            };
                            // A guess that has not helped was wrong.
                            if *this.form > *this.first
                                && !refused
                                && result.as_ref().map_or_else(EmbedError::is_heard, |_| true)
                            {
                                shared.form.fetch_max(*this.form, Relaxed);
                            }
                            return Poll::Ready(result);
                        }
                    }
                }
                StateProj::Readying { service } => {
                    if let Err(failure) = ready!(service.poll_ready(cx)) {
                        return Poll::Ready(Err(shared.error(failure, request)));
                    }
                    let call = service.call(shared.endpoint.request(request, &api.forms[*this.form]));
                    *this.is_sent = true;
                    State::Calling { call, fallback: (*this.form + 1 < api.forms.len()).then(|| service.clone()) }
                }
            };
            this.state.set(next);
        }
    }
}

impl<S> fmt::Debug for Exchange<S>
where
    S: Service<Request<Full<Bytes>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("request", &self.request).finish_non_exhaustive()
    }
}

/// How a request has ended, if it was sent.
fn ending<E>(outcome: Result<&Result<EmbedResponse, Flaw>, &Failure<Response<Bytes>, E>>) -> Option<Ending> {
    match outcome {
        Ok(Ok(answer)) => Some(Ending::Answered(answer.tokens())),
        Ok(Err(_)) => Some(Ending::Failed),
        Err(failure) => {
            let verdict = failure.verdict();
            let is_sent = verdict.class() != Class::Refused && verdict.retry() != Retryable::Unsent;
            is_sent.then_some(Ending::Failed)
        }
    }
}

impl Shared {
    pub(crate) fn error<E>(&self, failure: Failure<Response<Bytes>, E>, request: &EmbedRequest) -> EmbedError
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
