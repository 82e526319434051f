//! What a successful call costs: no allocation, a future of a known size, and the clock read as little as can be.

mod clock;

use std::{
    future::{Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceBuilder, service_fn};
use trysail::{
    Backoff, BreakerLayer, Circuit, ClassifyLayer, CollectLayer, Elapsed, FailoverLayer, Held, Idempotent, Open, Pace,
    PaceSettings, Providers, Rate, Replay, RetryLayer, ThrottleLayer, TimeoutLayer, Trip, Verdict,
};

/// The smallest error that a layer can return.
#[derive(Debug)]
struct Refused;

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

impl From<Held> for Refused {
    fn from(_: Held) -> Self {
        Self
    }
}

impl trysail::Classified for Refused {
    fn verdict(&self) -> Verdict {
        Verdict::REFUSED
    }
}

/// Ready, or pending once and then ready: 16 bytes.
struct Soon {
    value: u64,
    pending: bool,
}

impl Future for Soon {
    type Output = Result<u64, Refused>;

    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if std::mem::take(&mut self.pending) { Poll::Pending } else { Poll::Ready(Ok(self.value)) }
    }
}

fn stack<S>(inner: S) -> impl Service<u64, Response = u64, Error = Refused, Future: Sized> + Clone
where
    S: Service<u64, Response = u64, Error = Refused> + Clone,
{
    ServiceBuilder::new()
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(100))))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .service(inner)
}

/// Polls a call to its end.
fn finish<F: Future>(call: F) -> F::Output {
    let mut call = pin!(call);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = call.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

fn is_ready<S: Service<Req>, Req>(service: &mut S) -> bool {
    matches!(service.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())))
}

#[test]
fn successful_calls_do_not_allocate() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _clock = runtime.enter();
    for pending in [false, true] {
        let mut service = stack(service_fn(move |value| Soon { value, pending }));
        let mut call = |value| {
            assert!(is_ready::<_, u64>(&mut service));
            assert_eq!(finish(service.call(value)).expect("a success"), value);
        };
        call(0);
        let info = allocation_counter::measure(|| (0..100).for_each(&mut call));
        assert_eq!((info.count_total, info.count_current), (0, 0), "pending once: {pending}");
    }
}

#[test]
fn a_first_member_that_succeeds_allocates_nothing_for_the_others() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _clock = runtime.enter();
    for pending in [false, true] {
        let member = stack(service_fn(move |value| Soon { value, pending }));
        let list = FailoverLayer::new([member.clone()]).within(Duration::from_secs(60)).layer(member);
        let call = |value| {
            // As most callers do, for each call.
            let mut list = list.clone();
            assert!(is_ready::<_, u64>(&mut list));
            assert_eq!(finish(list.call(value)).expect("a success"), value);
        };
        call(0);
        let info = allocation_counter::measure(|| (0..100).for_each(call));
        assert_eq!((info.count_total, info.count_current), (0, 0), "pending once: {pending}");
    }
}

#[test]
fn calls_that_keep_a_pace_and_need_not_wait_do_not_allocate() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _clock = runtime.enter();
    let rate = Rate::per_second(1_000_000);
    for settings in [PaceSettings::new(), PaceSettings::new().requests(rate).cost(rate)] {
        let layer = ThrottleLayer::new(Pace::new(settings));
        let mut service = layer.layer(service_fn(|value| Soon { value, pending: true }));
        let mut call = |value| {
            assert!(is_ready::<_, u64>(&mut service));
            assert_eq!(finish(service.call(value)).expect("a success"), value);
        };
        call(0);
        let info = allocation_counter::measure(|| (0..100).for_each(&mut call));
        assert_eq!((info.count_total, info.count_current), (0, 0), "{settings:?}");
    }
}

/// Copies requests as `Idempotent` does, out of a stock, since a copy of an `http::Request` allocates by itself.
#[derive(Clone)]
struct Stocked;

impl Replay<Request<Full<Bytes>>> for Stocked {
    fn replay(&self, request: &Request<Full<Bytes>>) -> Option<Request<Full<Bytes>>> {
        Idempotent.replay(request).map(|copy| Request::new(copy.into_body()))
    }
}

#[test]
fn successful_http_calls_do_not_allocate_but_for_the_copy_of_the_request() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _clock = runtime.enter();
    let client = service_fn(|_: Request<Full<Bytes>>| -> Ready<Result<_, std::io::Error>> {
        ready(Ok(Response::new(Full::new(Bytes::from_static(b"{}")))))
    });
    let mut service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(100))).replay(Stocked))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(64 << 20))
        .service(client);
    let mut call = || {
        assert!(is_ready::<_, Request<Full<Bytes>>>(&mut service));
        finish(service.call(Request::new(Full::new(Bytes::from_static(b"{}"))))).expect("a success");
    };
    call();
    let info = allocation_counter::measure(|| (0..100).for_each(|_| call()));
    assert_eq!(info.count_total, 0);
}

#[test]
fn futures_are_of_a_known_size() {
    fn size<S: Service<u64>>(_: &S) -> usize {
        size_of::<S::Future>()
    }
    let inner = service_fn(|value| Soon { value, pending: true });
    let sleep = size_of::<tokio::time::Sleep>();
    let timeout = size(&TimeoutLayer::new(Duration::from_secs(20)).layer(inner));
    let breaker = size(&BreakerLayer::new(Circuit::new(Trip::default())).layer(inner));
    let retry = size(&RetryLayer::new(Backoff::exponential(Duration::from_millis(100))).layer(inner));
    let stack = size(&stack(inner));
    println!(
        "sleep {sleep} B, over a future of {} B: timeout {timeout} B, breaker {breaker} B, retry {retry} B, retry > breaker > timeout {stack} B",
        size_of::<Soon>()
    );
    assert!(stack <= sleep + 80, "{stack} B");
}
