//! What can be set can be met: no two settings keep a circuit closed before a server that is down, or open before one
//! that is well.

use std::{future::ready, time::Duration};

use proptest::{option, prelude::*, sample::select, test_runner::RngSeed};
use tokio::{runtime::Builder, time};
use tower::{BoxError, Layer, ServiceExt, service_fn};
use trysail_breaker::{BreakerLayer, Circuit, CircuitSettings, State, Trip};
use trysail_core::{Cause, Verdict};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// A call that takes so long; whether it was let through.
async fn call(circuit: &Circuit, took: Duration, fails: bool) -> bool {
    let service = service_fn(|()| async move {
        time::advance(took).await;
        if fails { Err(BoxError::from(Verdict::TRANSIENT)) } else { Ok(()) }
    });
    let outcome = BreakerLayer::new(circuit.clone()).layer(service).oneshot(()).await;
    outcome.is_ok() || outcome.is_err_and(|error| error.is::<Verdict>())
}

/// Calls a circuit until it opens, or for so long; gives the time it took.
async fn until_open(circuit: &Circuit, every: Duration, most: Duration, fails: bool) -> Option<Duration> {
    let began = time::Instant::now();
    while began.elapsed() <= most {
        call(circuit, every, fails).await;
        if circuit.snapshot().opened() > 0 {
            return Some(began.elapsed());
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn a_rate_opens_within_its_window_however_short_or_long_it_is() {
    for window_ms in [0, 1, 3, 10, 19, 20, 55, 100, 999, 1_000, 2_500, 5_000, 5_001, 9_999, 10_000, 40_000, 3_600_000] {
        let window = Duration::from_millis(window_ms);
        let every = (window / 200).max(MS / 10);
        for trip in [Trip::rate(0.5), Trip::rate(1.0), Trip::consecutive(u32::MAX).or_slow(Duration::ZERO, 0.5)] {
            for trip in [trip.within(window), trip.span(Duration::MAX).within(window), trip.within(window).span(window)]
            {
                let circuit = Circuit::new(trip);
                let opened = until_open(&circuit, every, 2 * window + 100 * MS, true).await;
                let opened = opened.unwrap_or_else(|| panic!("{trip:?} never opens"));
                assert!(opened <= window + 20 * MS, "{trip:?} opens after {opened:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_span_that_fits_its_window_is_kept_to() {
    let circuit = Circuit::new(Trip::rate(0.5).within(10 * SECOND).span(4 * SECOND));
    let opened = until_open(&circuit, SECOND / 10, 20 * SECOND, true).await.expect("it opens");
    assert!(opened >= 4 * SECOND && opened <= 4 * SECOND + SECOND / 2, "{opened:?}");
}

#[tokio::test(start_paused = true)]
async fn no_span_is_asked_of_a_window_of_calls_whichever_was_set_first() {
    let trip = Trip::rate(0.5).calls(10);
    for trip in [trip.last(100).span(5 * SECOND), trip.span(5 * SECOND).last(100)] {
        let circuit = Circuit::new(trip);
        assert_eq!(until_open(&circuit, MS, SECOND, true).await, Some(10 * MS));
    }
    let circuit = Circuit::new(trip.last(100).within(40 * SECOND));
    let opened = until_open(&circuit, MS, 20 * SECOND, true).await.expect("it opens");
    assert!(opened >= 5 * SECOND, "the span of a window of time is the default again: {opened:?}");
}

#[tokio::test(start_paused = true)]
async fn a_share_that_no_calls_have_is_that_of_all() {
    for share in [1.5, 50.0, f64::INFINITY, f64::NAN] {
        let circuit = Circuit::new(Trip::rate(share).calls(10).last(10));
        call(&circuit, MS, false).await;
        assert_eq!(until_open(&circuit, MS, SECOND, true).await, Some(10 * MS), "{share}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_share_is_reached_without_a_hit() {
    for share in [0.0, -1.0, f64::NEG_INFINITY] {
        let slow = Circuit::new(Trip::consecutive(u32::MAX).or_slow(SECOND, share).calls(1).last(10));
        for fails in [true, false, true, true] {
            call(&slow, MS, fails).await;
        }
        assert_eq!(slow.state(), State::Closed, "failures are not slow: {share}");
        call(&slow, SECOND, false).await;
        assert_eq!(slow.snapshot().cause(), Some(Cause::Slow));
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_slow_calls_below_a_millisecond_leaves_fast_ones_alone() {
    let circuit = Circuit::new(Trip::consecutive(9).or_slow(MS / 2, 0.5).last(20));
    for _ in 0..100 {
        assert!(call(&circuit, MS / 10, false).await);
        // So that a call is never across the end of a millisecond.
        time::advance(MS - MS / 10).await;
    }
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_patience_below_a_millisecond_leaves_calls_alone_that_are_dropped_at_once() {
    let circuit = Circuit::new(CircuitSettings::new(Trip::consecutive(1)).abandoned_after(MS / 2));
    for (waited, state) in [(Duration::ZERO, State::Closed), (MS, State::Open)] {
        let service = service_fn(|()| std::future::pending::<Result<(), BoxError>>());
        let mut call = tokio_test::task::spawn(BreakerLayer::new(circuit.clone()).layer(service).oneshot(()));
        tokio_test::assert_pending!(call.poll());
        time::advance(waited).await;
        drop(call);
        assert_eq!(circuit.state(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_attempt_is_cut_after_is_slow_and_a_lease_outlasts_it() {
    for attempt in [2 * SECOND, 2 * SECOND + Duration::from_nanos(1_500_000)] {
        let trip = Trip::consecutive(1).or_slow(30 * SECOND, 0.5).calls(4).last(4);
        let settings = CircuitSettings::new(trip).lease(MS).fit(attempt, 3);
        assert_eq!(settings, settings.fit(attempt, 3), "once is enough");
        let circuit = Circuit::new(settings);
        for _ in 0..4 {
            call(&circuit, attempt, false).await;
        }
        assert_eq!(circuit.snapshot().cause(), Some(Cause::Slow));
        time::advance(5 * SECOND).await;
        call(&circuit, attempt, false).await;
        assert_eq!(circuit.state(), State::Closed, "its probe was heard of");
        for failures in 1..=5 {
            assert_eq!(circuit.state(), State::Closed, "one call with three retries fails four times");
            call(&circuit, MS, true).await;
            assert_eq!(circuit.snapshot().opened(), if failures == 5 { 2 } else { 1 });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_open_time_holds_for_the_first() {
    let circuit = Circuit::new(CircuitSettings::new(Trip::consecutive(1)).open_time(60 * SECOND, 2 * SECOND));
    call(&circuit, MS, true).await;
    assert!(circuit.snapshot().next_probe().is_some_and(|rest| rest >= SECOND && rest <= 2 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn settings_are_read_replaced_whole_and_changed_together() {
    let circuit = Circuit::new(Trip::consecutive(3));
    assert_eq!(circuit.settings(), CircuitSettings::new(Trip::consecutive(3)));
    let other = CircuitSettings::new(Trip::consecutive(2)).probes(2, 2).count_throttled(true);
    circuit.set(other);
    assert_eq!(circuit.settings(), other);
    let runtime = tokio::runtime::Handle::current();
    std::thread::scope(|scope| {
        for at_once in 1..=4 {
            let (circuit, runtime) = (&circuit, runtime.clone());
            scope.spawn(move || {
                let _clock = runtime.enter();
                (0..100).for_each(|_| circuit.update(|settings| settings.probes(at_once, at_once)));
            });
        }
        circuit.update(|settings| settings.lease(SECOND));
    });
    circuit.update(|settings| settings.probes(2, 2));
    assert_eq!(circuit.settings(), other.lease(SECOND), "nobody's change is lost");
}

#[tokio::test(start_paused = true)]
async fn another_trip_begins_a_generation_and_the_same_one_does_not() {
    let circuit = Circuit::new(Trip::consecutive(3));
    let service = service_fn(|()| async {
        time::sleep(SECOND).await;
        Err::<(), _>(BoxError::from(Verdict::TRANSIENT))
    });
    for (trip, streak) in [(Trip::consecutive(3), 2), (Trip::consecutive(5), 0)] {
        circuit.reset();
        call(&circuit, MS, true).await;
        let mut early = tokio_test::task::spawn(BreakerLayer::new(circuit.clone()).layer(service).oneshot(()));
        tokio_test::assert_pending!(early.poll());
        circuit.update(|settings| settings.trip(trip).lease(9 * SECOND));
        time::advance(2 * SECOND).await;
        tokio_test::assert_ready_err!(early.poll());
        assert_eq!((circuit.state(), circuit.snapshot().streak()), (State::Closed, streak));
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_out_is_heard_of_though_the_trip_is_another() {
    let circuit = Circuit::new(Trip::consecutive(1));
    call(&circuit, MS, true).await;
    time::advance(5 * SECOND).await;
    let service = service_fn(|()| {
        circuit.update(|settings| settings.trip(Trip::rate(0.5)));
        ready(Ok::<_, BoxError>(()))
    });
    BreakerLayer::new(circuit.clone()).layer(service).oneshot(()).await.unwrap();
    assert_eq!(circuit.state(), State::Closed);
}

/// One thing that can be set of a trip.
#[derive(Clone, Copy, Debug)]
enum Setting {
    Calls(u32),
    Span(Duration),
    Within(Duration),
    Last(u32),
    Streak(u32, Duration),
    Slow(Duration, f64),
}

fn set(trip: Trip, setting: Setting) -> Trip {
    match setting {
        Setting::Calls(least) => trip.calls(least),
        Setting::Span(span) => trip.span(span),
        Setting::Within(window) => trip.within(window),
        Setting::Last(calls) => trip.last(calls),
        Setting::Streak(failures, span) => trip.or_streak(failures, span),
        Setting::Slow(from, share) => trip.or_slow(from, share),
    }
}

fn shares() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..=1.0, select(vec![-1.0, 0.0, 1.0, 2.0, 50.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE])]
}

fn settings() -> impl Strategy<Value = Setting> {
    let time = || {
        let times = [0, 1, 7, 10, 15, 99, 1_000, 4_999, 5_000, 10_000, 60_000].map(Duration::from_millis);
        select([&times[..], &[Duration::MAX, MS / 3]].concat())
    };
    prop_oneof![
        select(vec![0, 1, 2, 20, 300, u32::MAX]).prop_map(Setting::Calls),
        time().prop_map(Setting::Span),
        time().prop_map(Setting::Within),
        select(vec![0, 1, 2, 9, 10, 11, 25, 100, 1_000]).prop_map(Setting::Last),
        (select(vec![u32::MAX, 1_000_000]), time()).prop_map(|(failures, span)| Setting::Streak(failures, span)),
        (time(), shares()).prop_map(|(from, share)| Setting::Slow(from, share)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_set_a_server_that_fails_every_call_opens_the_circuit(
        share in shares(), set_before in proptest::collection::vec(settings(), 0..8), well in option::of(0..300_u32),
    ) {
        let (mut window, mut least) = (40 * SECOND, 20);
        for setting in &set_before {
            match *setting {
                Setting::Within(time) => window = time.clamp(10 * MS, u32::MAX * MS),
                Setting::Calls(calls) => least = calls.clamp(1, 8_191),
                _ => {}
            }
        }
        let trip = set_before.into_iter().fold(Trip::rate(share), set);
        // Twice as often as the window must be filled, and for so long that no success is left in it.
        let (every, calls) = (window / (2 * least.max(10)), 4 * least.max(1_000));
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let circuit = Circuit::new(trip);
            for _ in 0..well.unwrap_or_default() {
                call(&circuit, MS, false).await;
            }
            for _ in 0..calls {
                call(&circuit, every, true).await;
                if circuit.snapshot().opened() > 0 {
                    return;
                }
            }
            panic!("{trip:?} is closed after {:?}", circuit.snapshot());
        });
    }
}

#[tokio::test(start_paused = true)]
async fn default_circuits_are_set_by_the_default_trip_and_each_is_another() {
    let circuit = Circuit::default();
    assert_eq!(circuit.settings(), CircuitSettings::from(Trip::default()));
    circuit.force_open();
    for (layer, passes) in [(BreakerLayer::new(circuit), false), (BreakerLayer::default(), true)] {
        let service = layer.layer(service_fn(|()| ready(Ok::<_, BoxError>(()))));
        assert_eq!(service.oneshot(()).await.is_ok(), passes);
    }
}
