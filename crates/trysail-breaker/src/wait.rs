use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::{sync::futures::OwnedNotified, time::Sleep};

use crate::{Circuit, refusal::LastRefusal};

pin_project! {
    /// The end of a refusal's time, or a change of the circuit that lets calls pass sooner.
    #[derive(Debug)]
    pub(crate) struct OpenWait {
        #[pin]
        time: Sleep,
        #[pin]
        change: OwnedNotified,
    }
}

/// Waits until the circuit is no longer sure to refuse. `wait` is made when it is first needed, and kept meanwhile.
#[cold]
pub(crate) fn poll_unrefused(
    circuit: &Circuit,
    last: &mut LastRefusal,
    wait: &mut Option<Pin<Box<OpenWait>>>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    loop {
        // Listens before it looks, so that no change falls in between.
        let change = circuit.inner.sooner();
        let Some(open) = circuit.inner.peek(last) else { return Poll::Ready(()) };
        let anew = OpenWait { time: tokio::time::sleep(open.retry_after()), change };
        let waiting = match wait.as_mut() {
            Some(kept) => {
                kept.set(anew);
                kept
            }
            None => wait.insert(Box::pin(anew)),
        };
        ready!(waiting.as_mut().poll(cx));
    }
}

impl Future for OpenWait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let changed = this.change.poll(cx).is_ready();
        if this.time.poll(cx).is_ready() || changed { Poll::Ready(()) } else { Poll::Pending }
    }
}
