//! A long life: idle months, and a million calls in the memory of none.

use std::{
    future::ready,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use tokio::time;
use tower::{Layer, Service, service_fn};
use trysail::{BreakerLayer, Budget, Circuit, Open, Trip, Verdict, breaker::State};

use super::script::Call;

const SECOND: Duration = Duration::from_secs(1);
const HUNDRED_DAYS: Duration = Duration::from_secs(100 * 86_400);

#[tokio::test(start_paused = true)]
async fn after_a_hundred_idle_days_windows_and_budget_still_work() {
    let budget = Budget::default();
    let spend = || (0..100).filter(|_| budget.withdraw(Verdict::TRANSIENT, time::Instant::now()).is_some()).count();
    let windows = [Trip::rate(0.5), Trip::rate(0.5).within(SECOND), Trip::rate(0.5).last(20)];
    let circuits = windows.map(|trip| Circuit::new(trip.span(Duration::ZERO).calls(20)));
    let fail = |circuit: &Circuit| Call::begin(circuit).expect("admitted").end(Verdict::TRANSIENT);
    assert_eq!(spend(), 3);
    for circuit in &circuits {
        (0..19).for_each(|_| fail(circuit));
    }
    for _ in 0..4 {
        time::advance(HUNDRED_DAYS).await;
        assert_eq!(spend(), 3, "the budget is full again, and no fuller");
        for circuit in &circuits[..2] {
            assert_eq!(circuit.snapshot().calls(), 0, "all have left the window");
            (0..19).for_each(|_| fail(circuit));
            assert_eq!(circuit.state(), State::Closed);
        }
    }
    for circuit in &circuits {
        fail(circuit);
        assert_eq!(circuit.state(), State::Open);
    }
    time::advance(HUNDRED_DAYS).await;
    for circuit in &circuits {
        Call::begin(circuit).expect("admitted").end(Verdict::SUCCESS);
        assert_eq!(circuit.state(), State::Closed);
    }
}

#[test]
fn a_circuit_needs_no_more_memory_after_a_million_calls() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let _clock = runtime.enter();
    for (trip, calls) in [(Trip::default().or_slow(SECOND, 0.5), 1_000_000), (Trip::rate(1.0).last(100), 100_000)] {
        let mut kept = None;
        let made = allocation_counter::measure(|| kept = Some(Circuit::new(trip)));
        let circuit = kept.expect("it was made");
        assert!(made.bytes_current < 1_280, "{} bytes", made.bytes_current);
        let mut call = quick(&circuit);
        let used = allocation_counter::measure(|| (0..calls).for_each(|count| call(count % 4 == 0)));
        assert_eq!((used.count_total, used.bytes_current), (0, 0));
        assert_eq!(circuit.snapshot().opened(), 0);
        // It allocates when it changes, and keeps no more than its probes.
        let changed = allocation_counter::measure(|| {
            for _ in 0..100 {
                (0..100).for_each(|_| call(true));
                runtime.block_on(time::advance(15 * SECOND));
                call(false);
            }
        });
        assert_eq!(circuit.snapshot().opened(), 100);
        assert!(changed.bytes_current < 128, "{} bytes are kept", changed.bytes_current);
    }
}

/// An error that costs nothing.
struct Failed;

impl From<Open> for Failed {
    fn from(_: Open) -> Self {
        Self
    }
}

/// Makes calls that fail or succeed at once, without an allocation.
fn quick(circuit: &Circuit) -> impl FnMut(bool) {
    let judge = |outcome: Result<&(), &Failed>| match outcome {
        Ok(()) => Verdict::SUCCESS,
        Err(Failed) => Verdict::TRANSIENT,
    };
    let service = service_fn(|fails: bool| ready(if fails { Err(Failed) } else { Ok(()) }));
    let mut service = BreakerLayer::new(circuit.clone()).classify_with(judge).layer(service);
    move |fails| {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        let call = pin!(service.call(fails));
        assert!(call.poll(&mut cx).is_ready());
    }
}
