//! What a busy circuit saves its callers, and what that changes nothing of.

use std::{
    future::{Future, Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time;
use tower::{BoxError, Layer, Service};
use trysail_breaker::{Breaker, BreakerLayer, Circuit, CircuitSettings, State, Trip};
use trysail_core::{Cause, Open, Verdict};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

type Asked = Breaker<Answering>;

/// Answers each request with what it says.
#[derive(Clone)]
struct Answering;

impl Service<bool> for Answering {
    type Response = ();
    type Error = BoxError;
    type Future = Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, succeeds: bool) -> Self::Future {
        ready(if succeeds { Ok(()) } else { Err(Verdict::TRANSIENT.into()) })
    }
}

fn service(circuit: &Circuit) -> Asked {
    BreakerLayer::new(circuit.clone()).layer(Answering)
}

/// Makes a call that succeeds, or fails; the refusal if it was refused.
fn ask(service: &mut Asked, succeeds: bool) -> Result<(), Open> {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    match pin!(service.call(succeeds)).poll(&mut cx) {
        Poll::Ready(Err(error)) if error.is::<Open>() => Err(*error.downcast().expect("an open circuit")),
        Poll::Ready(_) => Ok(()),
        Poll::Pending => panic!("it is ready at once"),
    }
}

fn call(circuit: &Circuit, succeeds: bool) -> Result<(), Open> {
    ask(&mut service(circuit), succeeds)
}

fn succeed(circuit: &Circuit, times: u32) {
    (0..times).for_each(|_| call(circuit, true).expect("it is closed"));
}

fn opened(settings: impl Into<CircuitSettings>) -> Circuit {
    let circuit = Circuit::new(settings);
    call(&circuit, false).expect("it is closed");
    circuit
}

fn refusal(service: &mut Asked) -> Open {
    ask(service, true).expect_err("it is open")
}

#[tokio::test(start_paused = true)]
async fn a_busy_window_counts_every_call() {
    let circuit = Circuit::new(Trip::rate(1.0));
    for second in 1..=8_u32 {
        succeed(&circuit, 999);
        call(&circuit, false).expect("it is closed");
        let snapshot = circuit.snapshot();
        assert_eq!((snapshot.calls(), snapshot.failures()), (1_000 * second, second));
        time::advance(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_fewer_than_eight_successes_of_a_busy_window_are_missing() {
    for busy in [256, 300, 1_003] {
        let circuit = Circuit::new(Trip::default());
        succeed(&circuit, busy);
        for after in 1..100 {
            time::advance(MS).await;
            if after == 1 {
                time::advance(60 * SECOND).await;
            }
            succeed(&circuit, 1);
            let calls = circuit.snapshot().calls();
            assert!(calls <= after && after - calls < 8, "{calls} of {after} after {busy}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_not_busy_dates_each_success() {
    let circuit = Circuit::new(Trip::default());
    succeed(&circuit, 255);
    time::advance(60 * SECOND).await;
    for after in 1..=255 {
        succeed(&circuit, 1);
        assert_eq!(circuit.snapshot().calls(), after);
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_circuit_opens_with_the_failure_that_makes_the_rate() {
    let circuit = Circuit::new(Trip::rate(0.25));
    succeed(&circuit, 900);
    time::advance(6 * SECOND).await;
    for _ in 0..299 {
        call(&circuit, false).expect("fewer than a quarter have failed");
    }
    assert_eq!(circuit.state(), State::Closed);
    call(&circuit, false).expect("it is the last that passes");
    assert_eq!((circuit.state(), circuit.snapshot().cause()), (State::Open, Some(Cause::Rate)));
}

#[tokio::test(start_paused = true)]
async fn a_success_opens_it_as_soon_as_the_calls_span_enough_time() {
    let circuit = Circuit::new(Trip::rate(0.1));
    for _ in 0..10 {
        call(&circuit, false).expect("the calls span no time");
    }
    succeed(&circuit, 10);
    time::advance(5 * SECOND - MS).await;
    succeed(&circuit, 1);
    assert_eq!(circuit.state(), State::Closed);
    time::advance(MS).await;
    succeed(&circuit, 1);
    assert_eq!(circuit.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_counts_down_by_the_millisecond() {
    let circuit = opened(CircuitSettings::new(Trip::consecutive(1)).open_time(SECOND, SECOND));
    let mut asked = service(&circuit);
    let first = refusal(&mut asked).retry_after();
    assert_eq!(Some(first), circuit.snapshot().next_probe().map(round_up));
    for passed in 1..=100 {
        time::advance(MS).await;
        for _ in 0..3 {
            assert_eq!(refusal(&mut asked).retry_after(), first - passed * MS);
        }
    }
}

fn round_up(time: Duration) -> Duration {
    Duration::from_millis(time.as_nanos().div_ceil(1_000_000) as u64)
}

#[tokio::test(start_paused = true)]
async fn what_changes_within_a_millisecond_is_told() {
    let circuit = opened(CircuitSettings::new(Trip::consecutive(1)).open_time(9 * SECOND, 9 * SECOND));
    let mut asked = service(&circuit);
    assert_eq!(refusal(&mut asked).cause(), Cause::Streak);
    circuit.force_open();
    assert_eq!(refusal(&mut asked).cause(), Cause::Forced);
    circuit.reset();
    ask(&mut asked, true).expect("it is closed");
    circuit.update(|settings| settings.open_time(SECOND, SECOND));
    ask(&mut asked, false).expect("it is closed");
    assert!(refusal(&mut asked).retry_after() <= SECOND);
}
