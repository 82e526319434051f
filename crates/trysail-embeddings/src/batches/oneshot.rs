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
    #[project = OneshotProj]
    pub(crate) enum Oneshot<S: Service<EmbedRequest>> {
        Readying { service: S, request: Option<EmbedRequest> },
        Calling { #[pin] call: S::Future },
    }
}

impl<S> Oneshot<S>
where
    S: Service<EmbedRequest>,
{
    pub(crate) const fn new(service: S, request: EmbedRequest) -> Self {
        Self::Readying { service, request: Some(request) }
    }
}

impl<S> Future for Oneshot<S>
where
    S: Service<EmbedRequest>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let call = match self.as_mut().project() {
                OneshotProj::Readying { service, request } => {
                    ready!(service.poll_ready(cx))?;
                    service.call(request.take().expect("it is taken when the state is left"))
                }
                OneshotProj::Calling { call } => return call.poll(cx),
            };
            self.set(Self::Calling { call });
        }
    }
}
