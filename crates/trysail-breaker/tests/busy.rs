//! What a busy circuit saves its callers, and what that changes nothing of.

use std::{
    future::ready,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{runtime, time};
use tower::{BoxError, Layer, Service, service_fn};
use trysail_breaker::{BreakerLayer, Circuit, CircuitSettings, State, Trip};
use trysail_core::{Cause, Open, Verdict};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// Makes a call that succeeds, or fails; the refusal if it was refused.
fn call(circuit: &Circuit, succeeds: bool) -> Result<(), Open> {
    let answer = move |()| ready(if succeeds { Ok(()) } else { Err(BoxError::from(Verdict::TRANSIENT)) });
    let mut service = BreakerLayer::new(circuit.clone()).layer(service_fn(answer));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    match std::pin::pin!(service.call(())).poll(&mut cx) {
        Poll::Ready(Err(error)) if error.is::<Open>() => Err(*error.downcast().expect("an open circuit")),
        Poll::Ready(_) => Ok(()),
        Poll::Pending => panic!("it is ready at once"),
    }
}

fn succeed(circuit: &Circuit, times: u32) {
    (0..times).for_each(|_| call(circuit, true).expect("it is closed"));
}

fn opened(settings: impl Into<CircuitSettings>) -> Circuit {
    let circuit = Circuit::new(settings);
    call(&circuit, false).expect("it is closed");
    circuit
}

fn refusal(circuit: &Circuit) -> Open {
    call(circuit, true).expect_err("it is open")
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
    assert_eq!((circuit.state(), refusal(&circuit).cause()), (State::Open, Cause::Rate));
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
    let first = refusal(&circuit).retry_after();
    assert_eq!(Some(first), circuit.snapshot().next_probe().map(|rest| rest.max(MS)).map(round_up));
    for passed in 1..=100 {
        time::advance(MS).await;
        for _ in 0..3 {
            assert_eq!(refusal(&circuit).retry_after(), first - passed * MS);
        }
    }
}

fn round_up(time: Duration) -> Duration {
    Duration::from_millis(time.as_nanos().div_ceil(1_000_000) as u64)
}

#[tokio::test(start_paused = true)]
async fn circuits_that_refuse_in_the_same_millisecond_speak_for_themselves() {
    let short = opened(CircuitSettings::new(Trip::consecutive(1)).open_time(SECOND, SECOND));
    let long = opened(CircuitSettings::new(Trip::consecutive(1)).open_time(9 * SECOND, 9 * SECOND));
    // Later, with the same words in it.
    time::advance(SECOND / 4).await;
    let later = opened(CircuitSettings::new(Trip::consecutive(1)).open_time(SECOND, SECOND));
    later.seed(1);
    for circuit in [&short, &long, &later, &short, &later, &long] {
        let expected = circuit.snapshot().next_probe().map(round_up);
        assert_eq!(Some(refusal(circuit).retry_after()), expected);
    }
    short.force_open();
    assert_eq!(refusal(&short).cause(), Cause::Forced);
    assert_eq!(refusal(&long).cause(), Cause::Streak);
}

#[test]
fn a_thread_that_works_on_two_clocks_mixes_nothing_up() {
    let clock = || runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let (one, other) = (clock(), clock());
    let settings = CircuitSettings::new(Trip::consecutive(1)).open_time(9 * SECOND, 9 * SECOND);
    let circuit = one.block_on(async { opened(settings) });
    let ahead = SECOND;
    other.block_on(time::advance(ahead));
    let here = one.block_on(async { refusal(&circuit).retry_after() });
    let there = other.block_on(async { refusal(&circuit).retry_after() });
    assert!(there < here, "{there:?} and {here:?}");
    assert_eq!(one.block_on(async { refusal(&circuit).retry_after() }), here);
}
