use std::{
    future::Future,
    task::{Context, Poll},
};

use tower_service::Service;
use trysail_core::Classified;

use crate::record::{Exchange, Recorder, ResponseFuture, Stage};

/// A service whose outcomes are recorded; made by a [`RecordLayer`](crate::record::RecordLayer).
#[derive(Clone, Debug)]
pub struct Recorded<S, F> {
    pub(super) inner: S,
    pub(super) stage: Stage,
    pub(super) recorder: Recorder<F>,
}

impl<S, Req, F> Service<Req> for Recorded<S, F>
where
    S: Service<Req>,
    S::Future: Future<Output = Result<S::Response, S::Error>>,
    S::Error: Classified,
    F: Fn(&Exchange) + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, F>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        ResponseFuture::new(self.inner.call(request), self.stage, self.recorder.clone())
    }
}
