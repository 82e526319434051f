//! The future of [`Redirect`](crate::Redirect).

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response, Uri};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::redirect::NotFollowed;

pin_project! {
    /// Waits for an answer that does not send it on.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, S, B> {
        #[pin]
        state: State<F>,
        service: S,
        // With the address that was asked last.
        request: Request<B>,
        before: Vec<Uri>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Calling { #[pin] call: F },
        Readying,
    }
}

impl<F, S, B> ResponseFuture<F, S, B> {
    pub(crate) const fn new(call: F, service: S, request: Request<B>) -> Self {
        Self { state: State::Calling { call }, service, request, before: Vec::new() }
    }
}

impl<S, B, RB> Future for ResponseFuture<S::Future, S, B>
where
    S: Service<Request<B>, Response = Response<RB>>,
    B: Clone,
{
    type Output = Result<Response<RB>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Calling { call } => {
                    let mut response = ready!(call.poll(cx))?;
                    match NotFollowed::or_next(&response, this.request.uri(), this.before) {
                        None => return Poll::Ready(Ok(response)),
                        Some(Err(stays)) => {
                            response.extensions_mut().insert(stays);
                            return Poll::Ready(Ok(response));
                        }
                        Some(Ok(next)) => this.before.push(mem::replace(this.request.uri_mut(), next)),
                    }
                    State::Readying
                }
                StateProjection::Readying => {
                    ready!(this.service.poll_ready(cx))?;
                    State::Calling { call: this.service.call(this.request.clone()) }
                }
            };
            this.state.set(next);
        }
    }
}

impl<F, S, B> fmt::Debug for ResponseFuture<F, S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("followed", &self.before.len()).finish_non_exhaustive()
    }
}
