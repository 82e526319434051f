use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use crate::EmbedRequest;

pin_project! {
    /// Waits for the readiness of a service, and calls it once.
    pub(super) struct Call<S: Service<EmbedRequest>> {
        // The first of the inputs.
        at: usize,
        #[pin]
        state: State<S>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S: Service<EmbedRequest>> {
        Readying { service: S, request: Option<EmbedRequest> },
        Calling { #[pin] call: S::Future },
    }
}

impl<S> Call<S>
where
    S: Service<EmbedRequest>,
{
    pub(super) const fn new(at: usize, service: S, request: EmbedRequest) -> Self {
        Self { at, state: State::Readying { service, request: Some(request) } }
    }
}

impl<S> Future for Call<S>
where
    S: Service<EmbedRequest>,
{
    type Output = (usize, Result<S::Response, S::Error>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let outcome = loop {
            let call = match this.state.as_mut().project() {
                StateProj::Readying { service, request } => match ready!(service.poll_ready(cx)) {
                    Ok(()) => service.call(request.take().expect("it is taken when the state is left")),
                    Err(error) => break Err(error),
                },
                StateProj::Calling { call } => break ready!(call.poll(cx)),
            };
            this.state.set(State::Calling { call });
        };
        Poll::Ready((*this.at, outcome))
    }
}
