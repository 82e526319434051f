use std::{
    future::Future,
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    thread,
};

use tower::{Service, ServiceExt};

use crate::{fault::Fault, nothing::FAILS};

/// Runs `code` where timers work.
pub(crate) fn on_a_clock<T>(code: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without threads can always be made");
    let _clock = runtime.enter();
    code()
}

/// Makes so many calls, one after the other, and says how many were answered.
///
/// Two places call by turns, as different from each other as those of an application: a service that one place alone
/// calls is compiled into it as a whole, which hides what a call costs.
pub(crate) fn calls<S, Req>(mut service: S, request: impl Fn(u64) -> Req, calls: u64) -> u64
where
    S: Service<Req, Error: Into<Fault>>,
{
    let mut cx = Context::from_waker(Waker::noop());
    let mut answered = 0;
    for value in 0..calls {
        let request = black_box(request(value));
        let outcome = if black_box(value) % 2 == 0 {
            polled(&mut service, request, &mut cx).map(|answer| _ = black_box(answer))
        } else {
            awaited(&mut service, request, &mut cx).map(|answer| _ = black_box(answer))
        };
        match outcome {
            Ok(()) => answered += 1,
            Err(fault) => _ = black_box(fault.retry_after()),
        }
    }
    answered
}

/// Makes a service refuse that opens after a failure or two.
pub(crate) fn opened<S>(mut service: S) -> S
where
    S: Service<u64, Error: Into<Fault>>,
{
    on_a_clock(|| {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(polled(&mut service, FAILS, &mut cx).is_err(), "a call that must fail has been answered");
        }
    });
    service
}

/// Calls as a service does that is around another one.
#[inline(never)]
fn polled<S, Req>(service: &mut S, request: Req, cx: &mut Context<'_>) -> Result<S::Response, Fault>
where
    S: Service<Req, Error: Into<Fault>>,
{
    match service.poll_ready(cx) {
        Poll::Ready(ready) => ready.map_err(Into::into)?,
        Poll::Pending => panic!("no case waits for readiness"),
    }
    end(pin!(service.call(request)), cx).map_err(Into::into)
}

/// Calls as an async function does.
#[inline(never)]
fn awaited<S, Req>(service: &mut S, request: Req, cx: &mut Context<'_>) -> Result<(S::Response, usize), Fault>
where
    S: Service<Req, Error: Into<Fault>>,
{
    let call = async {
        let answer = service.ready().await.map_err(Into::into)?.call(request).await.map_err(Into::into)?;
        Ok((answer, size_of::<S::Response>()))
    };
    end(pin!(call), cx)
}

/// Polls until there is an outcome.
fn end<F: Future>(mut call: Pin<&mut F>, cx: &mut Context<'_>) -> F::Output {
    let mut polls = 0;
    loop {
        if let Poll::Ready(outcome) = black_box(call.as_mut().poll(cx)) {
            return outcome;
        }
        polls += 1;
        // What is pending twice waits for the other thread.
        if polls > 1 {
            thread::yield_now();
        }
    }
}
