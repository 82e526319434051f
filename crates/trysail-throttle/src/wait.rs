use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};
use trysail_core::Held;

use crate::{sent_call::SentCall, ticket::Ticket};

pin_project! {
    /// A call that waits for its turn, with the service that was ready for it.
    pub(crate) struct Wait<S, Req> {
        ticket: Ticket,
        call: Option<(S, Req)>,
        #[pin]
        sleep: Option<Sleep>,
    }
}

/// A call whose turn it is.
pub(crate) struct Turn<S, Req> {
    pub(crate) service: S,
    pub(crate) request: Req,
    pub(crate) sent: SentCall,
}

impl<S, Req> Wait<S, Req> {
    pub(crate) fn new(service: S, request: Req, ticket: Ticket) -> Self {
        Self { ticket, call: Some((service, request)), sleep: None }
    }

    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Turn<S, Req>, Held>> {
        let mut this = self.project();
        loop {
            let until = match this.ticket.look(cx.waker()) {
                Ok(Ok(fare)) => {
                    let (service, request) = this.call.take().expect("a call has one turn");
                    let sent = SentCall::new(this.ticket.pace().clone(), fare);
                    return Poll::Ready(Ok(Turn { service, request, sent }));
                }
                Ok(Err(held)) => return Poll::Ready(Err(held)),
                Err(until) => until,
            };
            match this.sleep.as_mut().as_pin_mut() {
                Some(sleep) => sleep.reset(until),
                None => this.sleep.set(Some(sleep_until(until))),
            }
            ready!(this.sleep.as_mut().as_pin_mut().expect("just made").poll(cx));
        }
    }
}
