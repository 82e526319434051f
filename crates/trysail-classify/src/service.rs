use std::{
    error::Error,
    task::{Context, Poll},
};

use tower_service::Service;
use trysail_core::{Classifier, Failure};

use crate::ResponseFuture;

/// A service whose answers are successes; made by [`ClassifyLayer`](crate::ClassifyLayer).
#[derive(Clone, Copy, Debug)]
pub struct Classify<S, C> {
    pub(crate) inner: S,
    pub(crate) judge: C,
}

impl<S, C, Req> Service<Req> for Classify<S, C>
where
    S: Service<Req>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    C: Classifier<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = Failure<S::Response, S::Error>;
    type Future = ResponseFuture<S::Future, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| Failure::unanswered(self.judge.classify(Err(&error)), error))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        ResponseFuture::new(self.inner.call(request), self.judge.clone())
    }
}
