use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use tower::Service;

use crate::fault::Fault;

/// A service that does nothing: it answers with what it was asked, at once or after one poll.
#[derive(Clone)]
pub(crate) struct Nothing {
    pub(crate) pending: bool,
}

/// Its answer.
pub(crate) struct Soon {
    value: u64,
    pending: bool,
}

/// What it fails for.
pub(crate) const FAILS: u64 = u64::MAX;

impl Service<u64> for Nothing {
    type Response = u64;
    type Error = Fault;
    type Future = Soon;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, value: u64) -> Soon {
        Soon { value, pending: self.pending }
    }
}

impl Future for Soon {
    type Output = Result<u64, Fault>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if mem::take(&mut self.pending) {
            return Poll::Pending;
        }
        Poll::Ready(if self.value == FAILS { Err(Fault::Status(503)) } else { Ok(self.value) })
    }
}
