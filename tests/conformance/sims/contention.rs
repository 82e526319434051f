//! Clients that contend for one row, each until it has written once, with our backoffs between attempts.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use trysail::{Backoff, retry::Jitter};

use super::{Agenda, Dice, mean};
use crate::conformance::table;

enum Event {
    Read { client: usize },
    Read2 { client: usize, version: u32 },
    Write { client: usize, version: u32 },
    Written { client: usize, done: bool },
}

/// How long all clients took, in milliseconds, and how many writes were tried.
fn simulate(clients: usize, backoff: &Backoff, dice: &Dice) -> (f64, f64) {
    let network = || dice.normal(10.0, 2.0).abs();
    let mut agenda = Agenda::new();
    let mut delays: Vec<_> = (0..clients).map(|_| backoff.clone().into_iter()).collect();
    (0..clients).for_each(|client| agenda.add(network(), Event::Read { client }));
    let (mut version, mut calls, mut ends) = (0, 0, 0.0);
    while let Some((at, event)) = agenda.next() {
        ends = at;
        match event {
            Event::Read { client } => agenda.add(at + network(), Event::Read2 { client, version }),
            Event::Read2 { client, version } => agenda.add(at + network(), Event::Write { client, version }),
            Event::Write { client, version: read } => {
                calls += 1;
                let done = read == version;
                version += u32::from(done);
                agenda.add(at + network(), Event::Written { client, done });
            }
            Event::Written { done: true, .. } => {}
            Event::Written { client, done: false } => {
                let delay = delays[client].next().expect("delays without end");
                agenda.add(at + network() + delay.as_secs_f64() * 1_000.0, Event::Read { client });
            }
        }
    }
    (ends, f64::from(calls))
}

/// Our name for an algorithm of the table. Its first retry waits for twice the base.
fn backoff(name: &str) -> Backoff {
    let base = Duration::from_millis(5);
    let exponential = Backoff::exponential(2 * base).cap(Duration::from_secs(2)).retries(u32::MAX).seed(11);
    match name {
        "None" => Backoff::constant(Duration::ZERO).retries(u32::MAX),
        "Exponential" => exponential.jitter(Jitter::None),
        "Equal" => exponential.jitter(Jitter::Equal),
        "Full" => exponential.jitter(Jitter::Full),
        "Decorr" => {
            let walk = Backoff::exponential(base).cap(Duration::from_secs(2)).retries(u32::MAX).seed(12);
            walk.jitter(Jitter::Decorrelated)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn our_backoffs_resolve_contention_as_fast_as_those_they_are_named_for() {
    #[derive(Deserialize)]
    struct Table {
        rows: Vec<(usize, String, f64, f64, f64, f64)>,
    }
    let mut at_a_hundred = BTreeMap::new();
    println!("clients      algo | ms: table ours | calls: table ours");
    for (clients, name, time, time_error, calls, calls_error) in table::<Table>("jitter-simulation").rows {
        let (backoff, dice) = (backoff(&name), Dice::seeded(clients as u64));
        let (times, writes): (Vec<_>, Vec<_>) = (0..TRIALS).map(|_| simulate(clients, &backoff, &dice)).unzip();
        let (ours, ours_error) = mean(&times);
        let (our_calls, our_calls_error) = mean(&writes);
        println!(
            "{clients:7} {name:>11} | {time:8.0} {ours:6.0} ±{ours_error:.0} | {calls:6.0} {our_calls:6.0} ±{our_calls_error:.1}"
        );
        if clients == 100 {
            at_a_hundred.insert(name.clone(), (ours, our_calls));
        }
        let near = |theirs: f64, ours: f64, errors: [f64; 2]| {
            (theirs - ours).abs() <= (3.0 * errors[0].hypot(errors[1])).max(theirs * 0.05)
        };
        assert!(near(time, ours, [time_error, ours_error]), "time of {name} at {clients}");
        assert!(near(calls, our_calls, [calls_error, our_calls_error]), "calls of {name} at {clients}");
    }
    let [none, decorrelated, full, equal, exponential] =
        ["None", "Decorr", "Full", "Equal", "Exponential"].map(|name| at_a_hundred[name]);
    assert!(none.0 < decorrelated.0 && decorrelated.0 <= full.0 && full.0 < equal.0 && equal.0 < exponential.0);
    assert!(full.1.max(equal.1) < decorrelated.1 && decorrelated.1 < exponential.1 && exponential.1 < none.1);
    assert!((full.1 / equal.1 - 1.0).abs() < 0.05);
}

/// The table has 100.
const TRIALS: usize = 20;
