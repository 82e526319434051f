use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::time::Sleep;
use tower_service::Service;

/// What a service says that was asked whether it is ready.
pub(crate) enum Readiness<E> {
    Unasked,
    Ready,
    Failed(E),
    /// Nothing in time, or too late for an attempt.
    Late,
}

pub(crate) fn poll_ready<S, Req>(
    service: &mut S,
    late: Pin<&mut Option<Sleep>>,
    cx: &mut Context<'_>,
) -> Poll<Readiness<S::Error>>
where
    S: Service<Req>,
{
    let readiness = service.poll_ready(cx);
    let is_late = late.as_pin_mut().is_some_and(|late| late.poll(cx).is_ready());
    match readiness {
        Poll::Ready(Err(error)) => Poll::Ready(Readiness::Failed(error)),
        _ if is_late => Poll::Ready(Readiness::Late),
        Poll::Ready(Ok(())) => Poll::Ready(Readiness::Ready),
        Poll::Pending => Poll::Pending,
    }
}
