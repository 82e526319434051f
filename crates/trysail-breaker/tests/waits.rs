//! What wakes who waits for an open circuit: whatever lets a call pass sooner.

use std::{
    future::{pending, ready},
    time::Duration,
};

use tokio::time;
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{BoxError, Layer, ServiceExt, service_fn};
use tower_test::mock;
use trysail_breaker::{Breaker, BreakerLayer, Circuit, CircuitSettings, State, Trip};
use trysail_core::Verdict;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

type Waiting = mock::Spawn<Breaker<mock::Mock<(), ()>>>;

/// A circuit that is open for a minute.
async fn open() -> Circuit {
    let circuit = Circuit::new(CircuitSettings::new(Trip::consecutive(1)).open_time(120 * SECOND, 120 * SECOND));
    fail(&circuit).await;
    assert_eq!(circuit.state(), State::Open);
    circuit
}

async fn fail(circuit: &Circuit) {
    let service = service_fn(|()| ready(Err::<(), _>(BoxError::from(Verdict::TRANSIENT))));
    BreakerLayer::new(circuit.clone()).layer(service).oneshot(()).await.expect_err("it fails");
}

/// A service that waits for it, and may be ready.
fn waiting(circuit: &Circuit) -> (Waiting, mock::Handle<(), ()>) {
    let (mut service, mut handle) =
        mock::spawn_layer::<(), (), _>(BreakerLayer::new(circuit.clone()).pending_while_open());
    handle.allow(1);
    assert_pending!(service.poll_ready());
    (service, handle)
}

/// A call that is out until it is dropped.
fn hanging(circuit: &Circuit) -> impl Sized {
    let service = service_fn(|()| pending::<Result<(), BoxError>>());
    let mut call = task::spawn(BreakerLayer::new(circuit.clone()).layer(service).oneshot(()));
    assert_pending!(call.poll());
    call
}

#[tokio::test(start_paused = true)]
async fn every_command_that_lets_calls_pass_wakes_who_waits() {
    for command in [Circuit::force_closed, Circuit::reset, Circuit::disable] {
        for by_hand in [false, true] {
            let circuit = open().await;
            if by_hand {
                circuit.force_open();
            }
            let mut all = [(); 10].map(|()| waiting(&circuit));
            time::advance(10 * MS).await;
            assert!(all.iter_mut().all(|(service, _)| !service.is_woken()));
            command(&circuit);
            for (service, _) in &mut all {
                assert!(service.is_woken());
                assert_ready_ok!(service.poll_ready());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_succeeds_wakes_who_waits() {
    let circuit = open().await;
    time::advance(120 * SECOND).await;
    let probe = BreakerLayer::new(circuit.clone()).layer(service_fn(|()| async {
        time::sleep(50 * MS).await;
        Ok::<_, BoxError>(())
    }));
    let mut probe = task::spawn(probe.oneshot(()));
    assert_pending!(probe.poll());
    let (mut service, _handle) = waiting(&circuit);
    time::advance(50 * MS).await;
    assert!(!service.is_woken());
    assert_ready_ok!(probe.poll());
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());
}

#[tokio::test(start_paused = true)]
async fn a_freed_place_of_a_probe_wakes_who_waits() {
    let circuit = open().await;
    time::advance(120 * SECOND).await;
    let probe = hanging(&circuit);
    let (mut service, _handle) = waiting(&circuit);
    drop(probe);
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());
}

#[tokio::test(start_paused = true)]
async fn settings_that_let_more_probe_wake_who_waits() {
    let circuit = open().await;
    time::advance(120 * SECOND).await;
    let _probe = hanging(&circuit);
    let (mut service, _handle) = waiting(&circuit);
    circuit.update(|settings| settings.lease(SECOND));
    assert!(!service.is_woken(), "the probe that is out has its lease");
    circuit.update(|settings| settings.probes(2, 2));
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());
}

#[tokio::test(start_paused = true)]
async fn what_lets_nobody_pass_sooner_wakes_nobody() {
    let circuit = open().await;
    let (mut service, _handle) = waiting(&circuit);
    circuit.force_open();
    circuit.update(|settings| settings.trip(Trip::default()));
    assert!(!service.is_woken());
    time::advance(120 * SECOND).await;
    assert!(service.is_woken());
    assert_pending!(service.poll_ready());
    circuit.reset();
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());
    fail(&circuit).await;
    circuit.reset();
    assert!(!service.is_woken(), "it does not wait any more");
}

#[test]
fn whoever_waits_on_another_thread_is_woken_at_once() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let here = runtime();
    for _ in 0..200 {
        let circuit = here.block_on(open());
        let (woken, hears) = std::sync::mpsc::channel();
        let waits = circuit.clone();
        let thread = std::thread::spawn(move || {
            let service = service_fn(|()| ready(Ok::<_, BoxError>(())));
            let mut service = BreakerLayer::new(waits).pending_while_open().layer(service);
            runtime().block_on(service.ready()).map(|_| ()).unwrap();
            woken.send(()).unwrap();
        });
        circuit.reset();
        hears.recv_timeout(10 * SECOND).expect("it is woken");
        thread.join().unwrap();
    }
}
