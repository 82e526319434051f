use std::{
    future::Future,
    task::{Context, Poll},
};

use tower_service::Service;
use trysail_core::Classified;

use crate::observe::{ResponseFuture, future::Record, labels::Labels};

/// A service whose calls are recorded; made by [`ObserveLayer`](crate::ObserveLayer).
#[derive(Clone, Debug)]
pub struct Observe<S> {
    pub(crate) inner: S,
    pub(crate) labels: Labels,
}

impl<S, Req> Service<Req> for Observe<S>
where
    S: Service<Req>,
    S::Future: Future<Output = Result<S::Response, S::Error>>,
    S::Error: Classified,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let record = Record::new(self.labels.clone());
        let call = record.span().enter(|| self.inner.call(request));
        ResponseFuture::new(call, record)
    }
}
