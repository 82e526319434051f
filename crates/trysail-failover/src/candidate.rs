use std::task::{Context, Poll};

use tower_service::Service;

use crate::trust::Trust;

/// A member that may be asked, on its way to be ready.
#[derive(Debug)]
pub(crate) struct Candidate<S> {
    pub(crate) member: usize,
    pub(crate) service: S,
}

/// The place of the first that is ready, or why none of them ever will be.
///
/// Those that can no longer become ready have failed, and are taken out.
pub(crate) fn poll_first_ready<S, Req>(
    candidates: &mut Vec<Candidate<S>>,
    trust: &[Trust],
    cx: &mut Context<'_>,
) -> Poll<Result<usize, Option<S::Error>>>
where
    S: Service<Req>,
{
    let (mut at, mut broken) = (0, None);
    while let Some(candidate) = candidates.get_mut(at) {
        match candidate.service.poll_ready(cx) {
            Poll::Ready(Ok(())) => return Poll::Ready(Ok(at)),
            Poll::Ready(Err(error)) => {
                broken = Some(error);
                trust[candidate.member].shake();
                candidates.remove(at);
            }
            Poll::Pending => at += 1,
        }
    }
    if candidates.is_empty() { Poll::Ready(Err(broken)) } else { Poll::Pending }
}
