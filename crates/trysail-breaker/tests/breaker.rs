//! When a circuit opens, whom it lets probe, and how it closes again.

use std::{
    future::{Future, pending, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use tokio::time::{self, Instant};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, limit::GlobalConcurrencyLimitLayer, service_fn};
use tower_test::{assert_request_eq, mock};
use trysail_breaker::{Breaker, BreakerLayer, Circuit, CircuitSettings, Circuits, State, Trip};
use trysail_core::{Cause, Class, Classified, Open, Verdict};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);
const F: Verdict = Verdict::TRANSIENT;
const S: Verdict = Verdict::SUCCESS;
const X: Verdict = Verdict::TRANSIENT.neutral();

/// Makes a call that ends with `verdict`; the refusal if it was refused.
async fn call(circuit: &Circuit, verdict: Verdict) -> Result<(), Open> {
    let answer = if verdict == S { Ok(()) } else { Err(BoxError::from(verdict)) };
    let mut answer = Some(answer);
    let service = service_fn(|()| ready(answer.take().expect("one call")));
    match BreakerLayer::new(circuit.clone()).layer(service).oneshot(()).await {
        Err(error) if error.is::<Open>() => Err(*error.downcast().expect("an open circuit")),
        _ => Ok(()),
    }
}

async fn calls(circuit: &Circuit, verdicts: impl IntoIterator<Item = Verdict>) {
    for verdict in verdicts {
        call(circuit, verdict).await.expect("the circuit should let it pass");
    }
}

/// A call that hangs until it is dropped.
fn hanging(circuit: &Circuit) -> task::Spawn<impl Future<Output = Result<(), BoxError>>> {
    let service = service_fn(|()| pending::<Result<(), BoxError>>());
    let mut call = task::spawn(BreakerLayer::new(circuit.clone()).layer(service).oneshot(()));
    assert_pending!(call.poll());
    call
}

/// Opens a circuit of one failure and waits until it can be probed.
async fn half_open() -> Circuit {
    let circuit = Circuit::new(Trip::consecutive(1));
    calls(&circuit, [F]).await;
    time::advance(5 * SECOND + MS).await;
    assert_eq!(circuit.state(), State::HalfOpen);
    circuit
}

async fn half_open_with(set: impl Fn(CircuitSettings) -> CircuitSettings) -> Circuit {
    let circuit = half_open().await;
    circuit.update(set);
    circuit
}

#[tokio::test(start_paused = true)]
async fn it_opens_on_failures_in_a_row() {
    let circuit = Circuit::new(Trip::consecutive(3));
    calls(&circuit, [F, F, S, F, F, X, S, F, F, X]).await;
    assert_eq!(circuit.state(), State::Closed);
    calls(&circuit, [F]).await;
    assert_eq!(circuit.state(), State::Open);
    let open = call(&circuit, S).await.unwrap_err();
    assert_eq!((open.cause(), open.class()), (Cause::Streak, Some(Class::Transient)));
    assert!(open.retry_after() > 2 * SECOND && open.retry_after() <= 5 * SECOND + MS);
}

#[tokio::test(start_paused = true)]
async fn by_default_five_in_a_row_must_span_a_second_or_there_must_be_twenty() {
    let circuit = Circuit::new(Trip::default());
    calls(&circuit, [F; 5]).await;
    time::advance(999 * MS).await;
    calls(&circuit, [F]).await;
    assert_eq!(circuit.state(), State::Closed);
    time::advance(MS).await;
    calls(&circuit, [F]).await;
    assert_eq!(circuit.state(), State::Open);

    let circuit = Circuit::new(Trip::default());
    calls(&circuit, [F; 19]).await;
    assert_eq!(circuit.state(), State::Closed);
    calls(&circuit, [F]).await;
    assert_eq!(circuit.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn by_default_it_opens_when_half_of_twenty_calls_failed_that_span_five_seconds() {
    let circuit = Circuit::new(Trip::default());
    for _ in 0..9 {
        calls(&circuit, [S, X, F]).await;
        time::advance(600 * MS).await;
    }
    assert_eq!((circuit.snapshot().calls(), circuit.snapshot().failures()), (18, 9));
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
    calls(&circuit, [F]).await;
    assert_eq!((circuit.state(), circuit.snapshot().cause()), (State::Open, Some(Cause::Rate)));

    let fast = Circuit::new(Trip::default());
    for _ in 0..100 {
        calls(&fast, [S, F]).await;
        time::advance(40 * MS).await;
    }
    assert_eq!(fast.state(), State::Closed, "too short a span");
}

#[tokio::test(start_paused = true)]
async fn the_open_time_doubles_with_each_failed_probe_and_is_forgotten_in_good_times() {
    let circuit = Circuit::new(Trip::consecutive(1));
    calls(&circuit, [F]).await;
    for whole in [5, 10, 15, 15] {
        let rest = call(&circuit, S).await.unwrap_err().retry_after();
        assert!(rest >= whole * SECOND / 2 && rest <= whole * SECOND + MS, "{rest:?} of {whole} s");
        time::advance(rest).await;
        calls(&circuit, [F]).await;
    }
    time::advance(15 * SECOND + MS).await;
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
    time::advance(60 * SECOND).await;
    calls(&circuit, [F]).await;
    assert!(call(&circuit, S).await.unwrap_err().retry_after() <= 5 * SECOND + MS);
}

#[tokio::test(start_paused = true)]
async fn it_stays_open_for_as_long_as_the_server_asks_up_to_a_minute() {
    for (hint, at_least, at_most) in [(20, 20, 20), (1, 2, 5), (4_000_000, 60, 60)] {
        let circuit = Circuit::new(Trip::consecutive(1));
        calls(&circuit, [F.after(hint * SECOND)]).await;
        let rest = call(&circuit, S).await.unwrap_err().retry_after();
        assert!(rest >= at_least * SECOND && rest <= at_most * SECOND + MS, "{rest:?}");
    }
    let circuit = Circuit::new(CircuitSettings::new(Trip::consecutive(1)).most_hint(600 * SECOND));
    calls(&circuit, [F.after(500 * SECOND)]).await;
    assert_eq!(call(&circuit, S).await.unwrap_err().retry_after(), 500 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn one_call_probes_and_its_success_closes() {
    let circuit = half_open().await;
    let mut service = BreakerLayer::new(circuit.clone()).layer(service_fn(|()| async {
        time::sleep(SECOND).await;
        Ok::<_, BoxError>(())
    }));
    let mut probe = task::spawn(service.ready().await.unwrap().call(()));
    assert_pending!(probe.poll());
    for _ in 0..1_000 {
        assert_eq!(call(&circuit, S).await.unwrap_err().retry_after(), SECOND);
    }
    time::advance(SECOND + MS).await;
    assert_ready_ok!(probe.poll());
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_probe_opens_it_again_without_doubling() {
    let circuit = half_open().await;
    calls(&circuit, [Verdict::THROTTLED]).await;
    let rest = call(&circuit, S).await.unwrap_err().retry_after();
    assert!(rest <= 5 * SECOND + MS, "{rest:?}");
    time::advance(rest).await;
    calls(&circuit, [Verdict::THROTTLED.after(30 * SECOND)]).await;
    assert!(call(&circuit, S).await.unwrap_err().retry_after() >= 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_success_is_still_a_sign_of_life() {
    for verdict in [Verdict::AUTH, Verdict::PERMANENT, Verdict::QUOTA_EXHAUSTED] {
        let circuit = half_open().await;
        calls(&circuit, [verdict]).await;
        assert_eq!(circuit.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_lets_the_next_call_probe() {
    let circuit = half_open().await;
    let probe = hanging(&circuit);
    call(&circuit, S).await.unwrap_err();
    drop(probe);
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_says_nothing_lets_the_next_call_probe() {
    let circuit = half_open().await;
    calls(&circuit, [X, Verdict::WARMING, Verdict::REFUSED]).await;
    assert_eq!(circuit.state(), State::HalfOpen);
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn while_no_probe_ends_one_more_is_admitted_every_five_seconds_up_to_three() {
    let circuit = half_open().await;
    let mut probes = vec![hanging(&circuit)];
    for _ in 1..3 {
        time::advance(4_990 * MS).await;
        assert!(call(&circuit, S).await.unwrap_err().retry_after() <= SECOND);
        time::advance(20 * MS).await;
        probes.push(hanging(&circuit));
    }
    time::advance(19_900 * MS).await;
    call(&circuit, S).await.expect_err("three are out, and the first has its lease until 30 s");
    time::advance(200 * MS).await;
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_second_probe_closes_it_though_the_first_hangs() {
    let circuit = half_open().await;
    let first = hanging(&circuit);
    time::advance(5 * SECOND + MS).await;
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
    drop(first);
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn results_of_an_earlier_generation_are_ignored() {
    for late in [S, F] {
        let circuit = Circuit::new(Trip::consecutive(1));
        let (mut service, mut handle) = mock::spawn_layer::<_, (), _>(BreakerLayer::new(circuit.clone()));
        assert_ready_ok!(service.poll_ready());
        let mut early = task::spawn(service.call("early"));
        let answer = assert_request_eq!(handle, "early");
        calls(&circuit, [F]).await;
        time::advance(5 * SECOND + MS).await;
        let probe = hanging(&circuit);
        match late {
            S => answer.send_response(()),
            _ => answer.send_error(late),
        }
        let _ = early.poll();
        assert_eq!(circuit.state(), State::HalfOpen);
        drop(probe);
        calls(&circuit, [S]).await;
        assert_eq!((circuit.state(), circuit.snapshot().streak()), (State::Closed, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_below_counts_as_a_failure() {
    let circuit = Circuit::new(Trip::consecutive(2));
    let in_poll = || {
        let service = service_fn(|()| async { panic!("on purpose") as Result<(), BoxError> });
        task::spawn(BreakerLayer::new(circuit.clone()).layer(service).oneshot(()))
    };
    let in_call = || {
        let service = service_fn(|()| -> std::future::Ready<Result<(), BoxError>> { panic!("on purpose") });
        task::spawn(BreakerLayer::new(circuit.clone()).layer(service).oneshot(()))
    };
    catch_unwind(AssertUnwindSafe(|| drop(in_poll().poll()))).unwrap_err();
    assert_eq!(circuit.snapshot().streak(), 1);
    catch_unwind(AssertUnwindSafe(|| drop(in_call().poll()))).unwrap_err();
    assert_eq!(circuit.state(), State::Open);
    time::advance(5 * SECOND + MS).await;
    catch_unwind(AssertUnwindSafe(|| drop(in_poll().poll()))).unwrap_err();
    assert_eq!(circuit.state(), State::Open, "a probe that panics has failed");
}

#[tokio::test(start_paused = true)]
async fn calls_that_were_given_up_count_only_if_they_waited_long_enough() {
    let circuit = Circuit::new(CircuitSettings::new(Trip::consecutive(3)).abandoned_after(SECOND));
    for _ in 0..100 {
        let given_up = hanging(&circuit);
        time::advance(999 * MS).await;
        drop(given_up);
    }
    assert_eq!(circuit.snapshot().streak(), 0);
    for _ in 0..3 {
        let given_up = hanging(&circuit);
        time::advance(SECOND).await;
        drop(given_up);
    }
    assert_eq!((circuit.state(), circuit.snapshot().cause()), (State::Open, Some(Cause::Streak)));

    let bare = Circuit::new(Trip::consecutive(3));
    for _ in 0..100 {
        let given_up = hanging(&bare);
        time::advance(60 * SECOND).await;
        drop(given_up);
    }
    assert_eq!(bare.state(), State::Closed, "by default they never do");
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_ready_and_never_touches_the_service() {
    let circuit = Circuit::new(Trip::consecutive(1));
    let (mut service, mut handle) = mock::spawn_layer::<(), (), _>(BreakerLayer::new(circuit.clone()));
    handle.allow(0);
    assert_pending!(service.poll_ready());
    calls(&circuit, [F]).await;
    assert_ready_ok!(service.poll_ready());
    time::advance(6 * SECOND).await;
    let mut refused = task::spawn(service.call(()));
    let error = assert_ready_err!(refused.poll());
    assert_eq!(error.verdict().class(), Class::Refused, "it was refused though the open time is over by now");
    assert_pending!(service.poll_ready());
}

#[tokio::test(start_paused = true)]
async fn a_clone_does_not_inherit_a_refusal() {
    let circuit = Circuit::new(Trip::consecutive(1));
    calls(&circuit, [F]).await;
    let service = service_fn(|()| ready(Ok::<_, BoxError>(())));
    let mut refusing: Breaker<_> = BreakerLayer::new(circuit.clone()).layer(service);
    refusing.ready().await.unwrap();
    let mut clone = refusing.clone();
    time::advance(6 * SECOND).await;
    clone.ready().await.unwrap().call(()).await.unwrap();
    refusing.call(()).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn commands_hold_until_they_are_taken_back() {
    let circuit = Circuit::new(Trip::consecutive(1));
    circuit.force_open();
    time::advance(3_600 * SECOND).await;
    let open = call(&circuit, S).await.unwrap_err();
    assert_eq!((open.cause(), circuit.state()), (Cause::Forced, State::ForcedOpen));
    circuit.disable();
    calls(&circuit, [F; 100]).await;
    assert_eq!(circuit.state(), State::Disabled);
    circuit.reset();
    assert_eq!(circuit.state(), State::Closed);
    calls(&circuit, [F]).await;
    assert_eq!((circuit.state(), circuit.snapshot().opened()), (State::Open, 2));
}

#[tokio::test(start_paused = true)]
async fn after_a_hundred_idle_days_everything_still_works() {
    let circuit = Circuit::new(Trip::default());
    calls(&circuit, [F; 4]).await;
    time::advance(100 * 86_400 * SECOND).await;
    let began = Instant::now();
    calls(&circuit, [S]).await;
    calls(&circuit, [F; 4]).await;
    assert_eq!(circuit.state(), State::Closed);
    time::advance(SECOND).await;
    calls(&circuit, [F]).await;
    assert_eq!(circuit.state(), State::Open);
    assert_eq!(circuit.snapshot().since(), began + SECOND);
    time::advance(100 * 86_400 * SECOND).await;
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn no_setting_overflows_the_clock() {
    let settings = CircuitSettings::new(Trip::consecutive(1));
    let circuit = Circuit::new(settings.open_time(Duration::MAX, Duration::MAX).lease(Duration::MAX));
    calls(&circuit, [F]).await;
    assert!(call(&circuit, S).await.unwrap_err().retry_after() > 365 * 86_400 * SECOND);
    circuit.reset();
    circuit.update(|settings| settings.open_time(Duration::ZERO, Duration::ZERO));
    calls(&circuit, [F]).await;
    time::advance(2 * MS).await;
    let probe = hanging(&circuit);
    call(&circuit, S).await.unwrap_err();
    drop(probe);
    calls(&circuit, [S]).await;
}

#[tokio::test(start_paused = true)]
async fn a_window_of_ten_opens_after_ten_failures_whatever_came_before() {
    let circuit = Circuit::new(Trip::rate(1.0).calls(10).last(10));
    calls(&circuit, [S; 10_000]).await;
    calls(&circuit, [F; 9]).await;
    assert_eq!(circuit.state(), State::Closed);
    calls(&circuit, [F]).await;
    assert_eq!((circuit.state(), circuit.snapshot().cause()), (State::Open, Some(Cause::Rate)));
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_taken_as_soon_as_there_are_enough_calls_though_the_last_succeeds() {
    let circuit = Circuit::new(Trip::rate(0.5).calls(5).within(20 * SECOND).span(Duration::ZERO));
    calls(&circuit, [F, F, F, S]).await;
    assert_eq!(circuit.state(), State::Closed);
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn slow_calls_open_it_whatever_came_of_them() {
    let circuit = Circuit::new(Trip::consecutive(100).or_slow(4 * SECOND, 0.5).calls(4).span(Duration::ZERO));
    let service = service_fn(|(took, verdict): (Duration, Verdict)| async move {
        time::sleep(took).await;
        if verdict == S { Ok(()) } else { Err(BoxError::from(verdict)) }
    });
    let service = BreakerLayer::new(circuit.clone()).layer(service);
    for (took, verdict) in [(SECOND, S), (3_999 * MS, S), (4 * SECOND, F)] {
        let _ = service.clone().oneshot((took, verdict)).await;
    }
    assert_eq!((circuit.state(), circuit.snapshot().slow()), (State::Closed, 1));
    service.clone().oneshot((5 * SECOND, S)).await.unwrap();
    assert_eq!((circuit.state(), circuit.snapshot().cause()), (State::Open, Some(Cause::Slow)));
}

#[tokio::test(start_paused = true)]
async fn several_probes_and_successes_may_be_asked_for() {
    let circuit = half_open_with(|settings| settings.probes(2, 3)).await;
    let first = hanging(&circuit);
    let second = hanging(&circuit);
    call(&circuit, S).await.expect_err("two probes are out");
    drop(second);
    calls(&circuit, [S, X, S]).await;
    assert_eq!(circuit.state(), State::HalfOpen);
    call(&circuit, S).await.expect_err("the one that hangs is all that is still needed");
    drop(first);
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);

    let circuit = half_open_with(|settings| settings.probes(3, 3)).await;
    calls(&circuit, [S, S, F]).await;
    assert_eq!(circuit.state(), State::Open, "one failure is enough");
}

#[tokio::test(start_paused = true)]
async fn throttling_counts_if_it_is_told_to() {
    let circuit = Circuit::new(Trip::consecutive(2));
    calls(&circuit, [Verdict::THROTTLED; 10]).await;
    assert_eq!(circuit.state(), State::Closed);
    circuit.update(|settings| settings.count_throttled(true));
    calls(&circuit, [Verdict::THROTTLED; 2]).await;
    assert_eq!((circuit.state(), circuit.snapshot().class()), (State::Open, Some(Class::Throttled)));
}

#[tokio::test(start_paused = true)]
async fn settings_may_change_while_it_runs() {
    let circuit = Circuit::new(Trip::consecutive(100));
    calls(&circuit, [F; 3]).await;
    circuit.update(|settings| settings.trip(Trip::consecutive(4)).open_time(60 * SECOND, 60 * SECOND));
    assert_eq!(circuit.snapshot().streak(), 0, "another trip counts from nothing");
    calls(&circuit, [F; 4]).await;
    assert!(call(&circuit, S).await.unwrap_err().retry_after() >= 30 * SECOND);
    assert_eq!(circuit.snapshot().next_probe().map(|rest| rest >= 30 * SECOND), Some(true));
}

#[tokio::test(start_paused = true)]
async fn changes_are_told() {
    let circuit = Circuit::new(Trip::consecutive(1));
    let mut changes = circuit.subscribe();
    calls(&circuit, [F]).await;
    assert_eq!(changes.next().await.map(|now| now.state()), Some(State::Open));
    time::advance(6 * SECOND).await;
    let probe = hanging(&circuit);
    assert_eq!(changes.next().await.map(|now| now.state()), Some(State::HalfOpen));
    drop(probe);
    calls(&circuit, [S]).await;
    circuit.force_open();
    circuit.force_closed();
    assert_eq!(changes.state(), State::Closed);
    assert_eq!(changes.next().await.map(|now| now.state()), Some(State::Closed));
    drop(circuit);
    assert_eq!(changes.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn for_a_balancer_an_open_circuit_is_pending() {
    let circuit = Circuit::new(Trip::consecutive(1));
    let (mut service, mut handle) =
        mock::spawn_layer::<(), (), _>(BreakerLayer::new(circuit.clone()).pending_while_open());
    handle.allow(2);
    assert_ready_ok!(service.poll_ready());
    calls(&circuit, [F]).await;
    assert_pending!(service.poll_ready());
    time::advance(6 * SECOND).await;
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());
    let probe = hanging(&circuit);
    assert_pending!(service.poll_ready());
    drop(probe);
    time::advance(SECOND + MS).await;
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_circuit_and_idle_ones_make_room() {
    let circuits = Circuits::new(16, || Circuit::new(Trip::consecutive(1)));
    let service = service_fn(|key: u32| ready(if key < 8 { Err(BoxError::from(F)) } else { Ok(()) }));
    let keyed = circuits.keyed(|key: &u32| *key);
    let service = BreakerLayer::new(keyed).layer(service);
    for key in (0..1_000).chain(0..8) {
        let _ = service.clone().oneshot(key).await;
    }
    let known = circuits.snapshot();
    assert!(known.len() <= 16);
    let open: Vec<_> =
        known.iter().filter(|(_, snapshot)| snapshot.state() == State::Open).map(|(key, _)| *key).collect();
    assert!((0..8).all(|key| open.contains(&key)), "open ones never go: {open:?}");
    assert!(service.clone().oneshot(3).await.unwrap_err().is::<Open>());
    service.oneshot(2_000).await.unwrap();

    let held: Vec<_> = (0..16).map(|key| Circuits::get(&circuits, &(3_000 + key))).collect();
    let detached = circuits.get(&4_000);
    detached.force_open();
    assert_eq!(circuits.get(&4_000).state(), State::Closed, "with no room, nothing is remembered");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_goes_through_no_circuit_is_neither_refused_nor_counted() {
    let circuit = Circuit::new(Trip::consecutive(1));
    let judged = circuit.clone();
    let through = move |judged_too: &bool| judged_too.then(|| judged.clone());
    let service = service_fn(|_: bool| ready(Err::<(), _>(BoxError::from(F))));
    let service = BreakerLayer::new(through).layer(service);
    service.clone().oneshot(false).await.unwrap_err();
    assert_eq!(circuit.state(), State::Closed);
    assert!(!service.clone().oneshot(true).await.unwrap_err().is::<Open>());
    assert!(service.clone().oneshot(true).await.unwrap_err().is::<Open>());
    assert!(!service.oneshot(false).await.unwrap_err().is::<Open>());
}

#[test]
fn a_thousand_threads_worth_of_callers_get_one_probe() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let circuit = runtime.block_on(half_open());
    let _clock = runtime.enter();
    let handle = runtime.handle().clone();
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let _clock = handle.enter();
                    let futures: Vec<_> = (0..250)
                        .map(|_| {
                            let service = service_fn(|()| pending::<Result<(), BoxError>>());
                            let mut call = task::spawn(BreakerLayer::new(circuit.clone()).layer(service).oneshot(()));
                            call.poll().is_pending().then_some(call)
                        })
                        .collect();
                    futures
                })
            })
            .collect();
        let calls: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        calls.iter().flatten().flatten().count()
    });
    assert_eq!(admitted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_fewer_calls_than_it_asks_for_is_taken_of_a_full_window() {
    for length in [1, 10, 19, 25, 100, 1_000] {
        let circuit = Circuit::new(Trip::rate(1.0).calls(u32::MAX).last(length));
        calls(&circuit, vec![F; length as usize - 1 - length as usize / 10]).await;
        assert_eq!(circuit.state(), State::Closed, "{length}");
        while circuit.snapshot().calls() < length && circuit.state() == State::Closed {
            calls(&circuit, [F]).await;
        }
        assert_eq!(circuit.state(), State::Open, "{length}");
    }
    let circuit = Circuit::new(Trip::rate(1.0).calls(u32::MAX).span(Duration::ZERO));
    calls(&circuit, [F; 8_191]).await;
    assert_eq!(circuit.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_window_made_longer_or_shorter_begins_anew_and_counts_on() {
    let trip = |window| Trip::rate(1.0).calls(20).span(Duration::ZERO).within(window);
    for (before, after) in [(10, 1_000), (1_000, 10)] {
        let circuit = Circuit::new(trip(before * SECOND));
        for _ in 0..9 {
            time::advance(7 * SECOND).await;
            calls(&circuit, [F]).await;
        }
        circuit.update(|settings| settings.trip(trip(after * SECOND)));
        assert_eq!(circuit.snapshot().calls(), 0);
        calls(&circuit, [F; 19]).await;
        assert_eq!((circuit.snapshot().calls(), circuit.state()), (19, State::Closed));
        calls(&circuit, [F]).await;
        assert_eq!(circuit.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn as_many_probe_at_once_as_was_said_though_one_success_closes() {
    let circuit = half_open_with(|settings| settings.probes(3, 1)).await;
    let probes = [hanging(&circuit), hanging(&circuit), hanging(&circuit)];
    call(&circuit, S).await.expect_err("three probes are out");
    drop(probes);
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_may_probe_as_soon_as_the_servers_hint_is_over() {
    let circuit = Circuit::new(Trip::consecutive(1));
    calls(&circuit, [F.after(20 * SECOND)]).await;
    time::advance(20 * SECOND - MS).await;
    assert_eq!(call(&circuit, S).await.unwrap_err().retry_after(), MS);
    time::advance(MS).await;
    assert_eq!(circuit.state(), State::HalfOpen);
    calls(&circuit, [S]).await;
}

#[tokio::test(start_paused = true)]
async fn settings_of_probes_hold_at_once() {
    let circuit = half_open().await;
    let _first = hanging(&circuit);
    call(&circuit, S).await.expect_err("one probe is out");
    circuit.update(|settings| settings.probes(2, 2));
    let _second = hanging(&circuit);
    call(&circuit, S).await.expect_err("two probes are out");
}

#[tokio::test(start_paused = true)]
async fn the_open_times_follow_from_a_seed() {
    let rest = async |seed| {
        let circuit = Circuit::new(Trip::consecutive(1));
        circuit.seed(seed);
        calls(&circuit, [F]).await;
        circuit.snapshot().next_probe().expect("it is open")
    };
    assert_eq!(rest(1).await, rest(1).await);
    assert_ne!(rest(1).await, rest(2).await);
}

#[tokio::test(start_paused = true)]
async fn a_long_outage_is_forgotten_as_soon_as_a_short_one() {
    for failed_probes in [3, 1_000] {
        let circuit = Circuit::new(Trip::consecutive(1));
        for _ in 0..=failed_probes {
            calls(&circuit, [F]).await;
            time::advance(15 * SECOND).await;
        }
        calls(&circuit, [S]).await;
        time::advance(30 * SECOND).await;
        calls(&circuit, [F]).await;
        assert!(call(&circuit, S).await.unwrap_err().retry_after() <= 5 * SECOND, "{failed_probes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_never_ends_loses_its_place_at_its_lease() {
    let circuit = half_open_with(|settings| settings.lease(3 * SECOND)).await;
    for _ in 0..100 {
        let _hung = std::mem::ManuallyDrop::new(hanging(&circuit));
        time::advance(3 * SECOND - MS).await;
        assert_eq!(call(&circuit, S).await.unwrap_err().retry_after(), MS);
        time::advance(MS).await;
    }
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn late_results_of_an_earlier_half_open_time_make_no_room_for_more_probes() {
    let circuit = half_open().await;
    let (mut service, mut handle) = mock::spawn_layer::<_, (), _>(BreakerLayer::new(circuit.clone()));
    assert_ready_ok!(service.poll_ready());
    let mut late = task::spawn(service.call("late"));
    let answer = assert_request_eq!(handle, "late");
    let dropped = {
        time::advance(5 * SECOND).await;
        hanging(&circuit)
    };
    time::advance(5 * SECOND).await;
    calls(&circuit, [F]).await;
    time::advance(10 * SECOND).await;
    let probe = hanging(&circuit);
    drop(dropped);
    call(&circuit, S).await.expect_err("one probe is out");
    answer.send_response(());
    assert_ready_ok!(late.poll());
    call(&circuit, S).await.expect_err("one probe is out");
    assert_eq!(circuit.state(), State::HalfOpen);
    drop(probe);
    calls(&circuit, [S]).await;
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_the_wall_clock_changes_nothing() {
    // On a paused clock every advance is such a jump: an hour passes, and the wall clock stands still.
    let hour = 3_600 * SECOND;
    let circuit = Circuit::new(CircuitSettings::new(Trip::consecutive(1)).open_time(hour, hour));
    calls(&circuit, [F]).await;
    let rest = call(&circuit, S).await.unwrap_err().retry_after();
    time::advance(rest - 2 * MS).await;
    call(&circuit, S).await.expect_err("two milliseconds are left");
    time::advance(2 * MS).await;
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn where_most_answers_say_nothing_the_others_decide() {
    for (decisive, then) in [(S, State::Closed), (Verdict::PERMANENT, State::Closed), (F, State::Open)] {
        let circuit = half_open_with(|settings| settings.probes(1, 3)).await;
        for _ in 0..3 {
            calls(&circuit, [X, Verdict::WARMING, X, Verdict::REFUSED]).await;
            assert_eq!(circuit.state(), State::HalfOpen);
            calls(&circuit, [decisive]).await;
            if circuit.state() == State::Open {
                break;
            }
        }
        assert_eq!(circuit.state(), then);
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_opens_no_circuit_and_closes_none() {
    let circuit = Circuit::new(Trip::consecutive(2).or_streak(3, SECOND));
    for _ in 0..1_000 {
        calls(&circuit, [Verdict::THROTTLED.after(2 * SECOND)]).await;
        time::advance(SECOND).await;
    }
    assert_eq!((circuit.state(), circuit.snapshot().opened()), (State::Closed, 0));
    calls(&circuit, [F, F]).await;
    time::advance(5 * SECOND).await;
    calls(&circuit, [Verdict::THROTTLED]).await;
    assert_eq!((circuit.state(), circuit.snapshot().class()), (State::Open, Some(Class::Throttled)));
}

#[tokio::test(start_paused = true)]
async fn readiness_reserves_no_probe() {
    let circuit = half_open().await;
    let service = service_fn(|()| ready(Ok::<_, BoxError>(())));
    let mut services = [(); 3].map(|()| BreakerLayer::new(circuit.clone()).layer(service));
    for service in &mut services {
        service.ready().await.unwrap();
    }
    let [unused, mut used, _] = services;
    drop(unused);
    used.call(()).await.unwrap();
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_that_the_caller_gives_up_at_once_say_nothing() {
    let circuit = Circuit::new(CircuitSettings::default().abandoned_after(SECOND));
    let hung: Vec<_> = (0..100).map(|_| hanging(&circuit)).collect();
    drop(hung);
    assert_eq!((circuit.state(), circuit.snapshot().streak(), circuit.snapshot().calls()), (State::Closed, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn whatever_the_server_asks_for_a_probe_passes_after_a_minute() {
    let circuit = Circuit::new(Trip::consecutive(1));
    let million_years = Duration::from_secs(1_000_000 * 365 * 86_400);
    for _ in 0..3 {
        calls(&circuit, [F.after(million_years)]).await;
        assert_eq!(call(&circuit, S).await.unwrap_err().retry_after(), 60 * SECOND);
        time::advance(60 * SECOND).await;
    }
    calls(&circuit, [S]).await;
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_counts_every_call_of_a_long_window() {
    let circuit = Circuit::new(Trip::rate(0.9).or_slow(SECOND, 0.9).within(3_600 * SECOND).span(1_800 * SECOND));
    let service = service_fn(|fails: bool| ready(if fails { Err(BoxError::from(F)) } else { Ok(()) }));
    let mut service = BreakerLayer::new(circuit.clone()).layer(service);
    for call in 0..50_000 {
        let _ = service.ready().await.unwrap().call(call % 5 == 0).await;
        if call % 1_000 == 0 {
            time::advance(SECOND).await;
        }
    }
    let now = circuit.snapshot();
    assert_eq!((now.calls(), now.failures(), now.slow()), (50_000, 10_000, 0));
    assert_eq!(now.failure_rate(), Some(0.2));
}

#[tokio::test(start_paused = true)]
async fn a_change_tells_of_the_calls_that_led_to_it() {
    let circuit = Circuit::new(Trip::rate(0.5).calls(4).last(10));
    let mut changes = circuit.subscribe();
    calls(&circuit, [S, S, F, F]).await;
    let opened = changes.next().await.expect("it opened");
    assert_eq!((opened.state(), opened.calls(), opened.failures()), (State::Open, 4, 2));
    assert_eq!((opened.cause(), opened.class(), opened.opened()), (Some(Cause::Rate), Some(Class::Transient), 1));
    assert!(opened.next_probe() >= Some(2 * SECOND));
    assert_eq!(circuit.snapshot().calls(), 0, "now it counts from nothing");
}

#[tokio::test(start_paused = true)]
async fn circuits_are_named_by_who_makes_them_or_by_their_key() {
    assert_eq!(Circuit::new(Trip::default()).name(), None);
    let named = Circuit::named("tei", Trip::default());
    assert_eq!(named.name(), Some("tei"));
    let by_text = Circuits::new(4, || Circuit::new(Trip::default()));
    assert_eq!(by_text.get(&"localhost:80").name(), Some("localhost:80"));
    let by_both = Circuits::new(4, || Circuit::new(Trip::default()));
    assert_eq!(by_both.get(&("localhost", 80)).name(), Some(r#"("localhost", 80)"#));
    let all_one = Circuits::new(4, move || named.clone());
    assert_eq!(all_one.get(&1).name(), Some("tei"), "a name is kept");
}

#[tokio::test(start_paused = true)]
async fn a_limit_above_the_breaker_is_given_back_with_every_refusal() {
    let circuit = Circuit::new(Trip::consecutive(1));
    let service = service_fn(|()| ready(Ok::<_, BoxError>(())));
    let limit = GlobalConcurrencyLimitLayer::new(1);
    let service = ServiceBuilder::new().layer(limit).layer(BreakerLayer::new(circuit.clone())).service(service);
    let (mut idle, mut busy) = (service.clone(), service);
    idle.ready().await.unwrap();
    calls(&circuit, [F]).await;
    idle.call(()).await.unwrap_err();
    circuit.reset();
    assert_ready_ok!(task::spawn(busy.ready()).poll()).call(()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_limit_below_the_breaker_is_held_by_who_was_refused_until_it_goes() {
    let circuit = Circuit::new(Trip::consecutive(1));
    let service = service_fn(|()| ready(Ok::<_, BoxError>(())));
    let limit = GlobalConcurrencyLimitLayer::new(1);
    let service = ServiceBuilder::new().layer(BreakerLayer::new(circuit.clone())).layer(limit).service(service);
    let refused = async || {
        let mut service = service.clone();
        service.ready().await.unwrap();
        circuit.force_open();
        service.call(()).await.unwrap_err();
        circuit.reset();
        service
    };
    let idle = refused().await;
    assert_pending!(task::spawn(service.clone().oneshot(())).poll());
    // The way out that docs/stacking.md names: a clone for each call, which goes with it.
    drop(idle);
    for _ in 0..10 {
        drop(refused().await);
    }
    assert_ready_ok!(task::spawn(service.clone().oneshot(())).poll());
}
