//! Threads that meet at a circuit, in every order that there is.

use std::time::Duration;

use loom::{model::Builder, thread};
use tokio::{runtime, time};
use trysail_core::Class;

use crate::{Circuit, CircuitSettings, State, Trip, outcome::Outcome, permit::Permit};

const FAILURE: Outcome = Outcome::Failure { class: Class::Transient, hint: None };
const LEASE: Duration = Duration::from_millis(20);

/// Tries all interleavings on a clock that stands still unless `pass` moves it.
fn model(run: impl Fn(&dyn Fn(Duration)) + Sync + Send + 'static) {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let _clock = runtime.enter();
    let handle = runtime.handle().clone();
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || run(&|time| handle.block_on(time::advance(time))));
}

fn circuit(failures: u32) -> Circuit {
    let settings = CircuitSettings::new(Trip::consecutive(failures));
    seeded(settings.open_time(Duration::from_millis(1), Duration::from_millis(1)))
}

fn seeded(settings: impl Into<CircuitSettings>) -> Circuit {
    let circuit = Circuit::new(settings);
    circuit.seed(1);
    circuit
}

/// A circuit whose open time is over.
fn half_open(pass: &dyn Fn(Duration)) -> Circuit {
    let circuit = circuit(1);
    circuit.update(|settings| settings.lease(LEASE));
    circuit.inner.settle(circuit.inner.admit().expect("it is closed"), FAILURE);
    pass(Duration::from_millis(2));
    circuit
}

/// Runs `work` on two other threads and here, and gives what came of it.
fn together<T: Send + 'static>(circuit: &Circuit, work: [fn(&Circuit) -> T; 3]) -> [T; 3] {
    let [first, second, here] = work;
    let threads = [first, second].map(|work| {
        let circuit = circuit.clone();
        thread::spawn(move || work(&circuit))
    });
    let here = here(circuit);
    let [first, second] = threads.map(|thread| thread.join().expect("no panic"));
    [first, second, here]
}

fn admitted(passes: [Option<Permit>; 3]) -> Vec<Permit> {
    passes.into_iter().flatten().collect()
}

#[test]
fn of_all_who_come_when_the_open_time_is_over_one_probes() {
    model(|pass| {
        let circuit = half_open(pass);
        let passes = admitted(together(&circuit, [|circuit| circuit.inner.admit().ok(); 3]));
        assert_eq!((passes.len(), circuit.state()), (1, State::HalfOpen));
        circuit.inner.succeed(passes[0]);
        assert_eq!(circuit.state(), State::Closed);
    });
}

#[test]
fn of_all_who_come_when_the_lease_is_over_one_probes() {
    model(|pass| {
        let circuit = half_open(pass);
        let lost = circuit.inner.admit().expect("the first probes");
        pass(LEASE);
        let settle: fn(&Circuit, Permit) -> Option<Permit> = |circuit, lost| {
            circuit.inner.settle(lost, FAILURE);
            None
        };
        let late = {
            let circuit = circuit.clone();
            thread::spawn(move || settle(&circuit, lost))
        };
        let other = {
            let circuit = circuit.clone();
            thread::spawn(move || circuit.inner.admit().ok())
        };
        let here = circuit.inner.admit().ok();
        let passes = admitted([late.join().expect("no panic"), other.join().expect("no panic"), here]);
        assert_eq!((passes.len(), circuit.state()), (1, State::HalfOpen));
    });
}

#[test]
fn a_probe_that_ends_makes_room_for_one() {
    for outcome in [Outcome::Neutral, Outcome::Success, FAILURE] {
        model(move |pass| {
            let circuit = half_open(pass);
            let probe = circuit.inner.admit().expect("the first probes");
            let ends = {
                let circuit = circuit.clone();
                thread::spawn(move || match outcome {
                    Outcome::Success => circuit.inner.succeed(probe),
                    outcome => circuit.inner.settle(probe, outcome),
                })
            };
            let comes = {
                let circuit = circuit.clone();
                thread::spawn(move || circuit.inner.admit().ok())
            };
            let here = circuit.inner.admit().ok();
            ends.join().expect("no panic");
            let passes = admitted([comes.join().expect("no panic"), here, None]);
            match outcome {
                Outcome::Success => assert_eq!(circuit.state(), State::Closed),
                Outcome::Neutral => {
                    assert!(passes.len() <= 1);
                    assert_eq!(circuit.state(), State::HalfOpen);
                    let next = circuit.inner.admit().ok();
                    assert_eq!(passes.len() + next.iter().len(), 1, "its place is free, unless taken");
                }
                _ => assert_eq!((passes.len(), circuit.state()), (0, State::Open)),
            }
        });
    }
}

#[test]
fn no_failure_is_lost_and_the_last_one_opens_it() {
    model(|_| {
        let circuit = circuit(3);
        let fail = |circuit: &Circuit| circuit.inner.settle(circuit.inner.admit().expect("it is closed"), FAILURE);
        together(&circuit, [fail; 3]);
        assert_eq!((circuit.state(), circuit.snapshot().opened()), (State::Open, 1));
        circuit.inner.admit().expect_err("it is open");
    });
}

#[test]
fn a_success_beside_failures_comes_before_between_or_after_them() {
    model(|pass| {
        let circuit = circuit(2);
        let late = circuit.inner.admit().expect("it is closed");
        let fail = {
            let circuit = circuit.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    if let Ok(pass) = circuit.inner.admit() {
                        circuit.inner.settle(pass, FAILURE);
                    }
                }
            })
        };
        circuit.inner.succeed(late);
        fail.join().expect("no panic");
        let streak = circuit.snapshot().streak();
        match circuit.state() {
            State::Open => {
                circuit.inner.admit().expect_err("it is open");
                pass(Duration::from_millis(2));
                circuit.inner.succeed(circuit.inner.admit().expect("a probe"));
            }
            _ => assert_eq!(streak, 1),
        }
        assert_eq!(circuit.state(), State::Closed);
    });
}

#[test]
fn a_rate_counts_every_call_once() {
    model(|_| {
        let trip = Trip::rate(1.0).calls(3).span(Duration::ZERO);
        let circuit = seeded(trip);
        let fail = |circuit: &Circuit| circuit.inner.settle(circuit.inner.admit().expect("it is closed"), FAILURE);
        together(&circuit, [fail; 3]);
        assert_eq!((circuit.state(), circuit.snapshot().opened()), (State::Open, 1));
    });
}

#[test]
fn commands_and_calls_leave_it_in_a_state_that_the_gate_knows() {
    model(|pass| {
        let circuit = half_open(pass);
        let by_hand: fn(&Circuit) -> Option<Permit> = |circuit| {
            circuit.force_open();
            circuit.reset();
            None
        };
        let probe: fn(&Circuit) -> Option<Permit> = |circuit| {
            let pass = circuit.inner.admit().ok()?;
            circuit.inner.settle(pass, FAILURE);
            Some(pass)
        };
        let come: fn(&Circuit) -> Option<Permit> = |circuit| circuit.inner.admit().ok();
        together(&circuit, [by_hand, probe, come]);
        match circuit.state() {
            State::Closed => drop(circuit.inner.admit().expect("it is closed")),
            State::Open => drop(circuit.inner.admit().expect_err("it is open")),
            state => panic!("{state:?}"),
        }
    });
}
