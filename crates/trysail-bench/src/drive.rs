use std::{
    future::Future,
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    thread,
};

use tower::{BoxError, Layer, Service};
use trysail::{BreakerLayer, Classified, Elapsed, Open, Verdict};

/// The smallest error that every layer can return.
#[derive(Debug)]
pub(crate) struct Refused;

/// The answer of a service that does nothing: at once, or after one poll.
pub(crate) struct Soon {
    value: u64,
    pending: bool,
}

/// A service that does nothing.
#[derive(Clone)]
pub(crate) struct Nothing {
    pub(crate) pending: bool,
}

/// Runs `code` where timers work.
pub(crate) fn on_a_clock<T>(code: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without threads can always be made");
    let _clock = runtime.enter();
    code()
}

/// Makes one call that fails, through `layer`.
pub(crate) fn fail_once(layer: BreakerLayer) {
    let failing = tower::service_fn(|_: u64| std::future::ready(Err::<u64, BoxError>(Verdict::TRANSIENT.into())));
    let mut call = pin!(layer.layer(failing).call(0));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

/// Makes so many calls, one after the other, and says how many were answered.
pub(crate) fn calls<S: Service<u64, Response = u64>>(mut service: S, calls: u64) -> u64 {
    let mut cx = Context::from_waker(Waker::noop());
    let mut answered = 0;
    for value in 0..calls {
        assert!(service.poll_ready(&mut cx).is_ready());
        let mut call = pin!(service.call(black_box(value)));
        let mut polls = 0;
        let outcome = loop {
            if let Poll::Ready(outcome) = black_box(call.as_mut().poll(&mut cx)) {
                break outcome;
            }
            polls += 1;
            // What is pending twice waits for the other thread.
            if polls > 1 {
                thread::yield_now();
            }
        };
        answered += u64::from(outcome.is_ok());
    }
    answered
}

impl Service<u64> for Nothing {
    type Response = u64;
    type Error = Refused;
    type Future = Soon;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, value: u64) -> Soon {
        Soon { value, pending: self.pending }
    }
}

impl Future for Soon {
    type Output = Result<u64, Refused>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if std::mem::take(&mut self.pending) {
            return Poll::Pending;
        }
        // A compiler that knew it never fails would leave out half of what is measured.
        Poll::Ready(if self.value == u64::MAX { Err(Refused) } else { Ok(self.value) })
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl From<Elapsed> for Refused {
    fn from(_: Elapsed) -> Self {
        Self
    }
}

impl From<Open> for Refused {
    fn from(_: Open) -> Self {
        Self
    }
}

impl Classified for Refused {
    fn verdict(&self) -> Verdict {
        Verdict::REFUSED
    }
}
