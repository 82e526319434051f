//! The clock is read when a call is pending, by the layers that keep time, and not before.

use std::time::Duration;

use tower::{Layer, Service, ServiceBuilder, service_fn};
use trysail::{
    Backoff, BreakerLayer, Budget, Circuit, Pace, PaceSettings, Rate, RetryLayer, ThrottleLayer, TimeoutLayer, Trip,
};
use trysail_clock_reads::count;

use super::{Refused, Soon, finish, is_ready};

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(Duration::from_millis(100)))
}

/// 80 calls of retry > breaker > timeout, ready at once or pending once, read the clock so often, if that can be counted.
#[track_caller]
fn reads(retry: RetryLayer, trip: Trip, pending: bool, expected: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _clock = runtime.enter();
    let mut service = ServiceBuilder::new()
        .layer(retry)
        .layer(BreakerLayer::new(Circuit::new(trip)))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .service(service_fn(move |value| Soon { value, pending }));
    let mut call = |value| {
        assert!(is_ready::<_, u64>(&mut service));
        assert_eq!(finish(service.call(value)).map_err(|Refused| value), Ok(value));
    };
    // From the sixteenth call on, the caller of a budget counts as busy, and a circuit from the 256th on.
    (0..256).for_each(&mut call);
    let reads = count(|| (0..80).for_each(call));
    assert_eq!(reads.unwrap_or(expected), expected);
}

#[test]
fn a_call_that_is_ready_reads_no_clock() {
    reads(retry(), Trip::consecutive(5), false, 0);
}

#[test]
fn a_call_that_is_pending_reads_the_clock_for_its_timeout() {
    reads(retry(), Trip::consecutive(5), true, 80);
}

#[test]
fn a_rate_over_time_reads_the_clock_for_one_call_in_eight_of_a_busy_circuit() {
    reads(retry(), Trip::default(), false, 10);
    reads(retry(), Trip::default(), true, 90);
}

#[test]
fn a_rate_over_calls_reads_no_clock() {
    reads(retry(), Trip::rate(0.5).last(100), false, 0);
    reads(retry(), Trip::rate(0.5).last(5), false, 0);
}

#[test]
fn a_budget_reads_the_clock_for_one_call_in_eight_of_a_busy_caller() {
    reads(retry().budget(Budget::default()), Trip::consecutive(5), false, 10);
    reads(retry().budget(Budget::default()), Trip::consecutive(5), true, 90);
}

#[test]
fn a_pace_reads_the_clock_once_a_call_where_there_are_rates_and_never_where_there_are_none() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _clock = runtime.enter();
    let rate = Rate::per_second(1_000_000);
    for (settings, expected) in [(PaceSettings::new(), 0), (PaceSettings::new().requests(rate).cost(rate), 80)] {
        for pending in [false, true] {
            let layer = ThrottleLayer::new(Pace::new(settings));
            let mut service = layer.layer(service_fn(move |value| Soon { value, pending }));
            let reads = count(|| (0..80).for_each(|value| _ = finish(service.call(value))));
            assert_eq!(reads.unwrap_or(expected), expected, "{settings:?}");
        }
    }
}
