//! Threads that meet at a pace, in every order that there is.

use loom::{model::Builder, sync::Arc, thread};

use crate::{
    Rate,
    fare::{Fare, Taken},
    rates::Rates,
};

const SECOND: u64 = 1_000_000_000;

/// Tries all interleavings in which threads are cut in at a few times.
fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(run);
}

fn rates(requests: u64, cost: u64) -> Arc<Rates> {
    let rates = Rates::new();
    rates.requests.set(Some(Rate::per_second(requests).burst(requests)), 0);
    rates.cost.set(Some(Rate::per_second(cost).burst(cost)), 0);
    Arc::new(rates)
}

fn paid(cost: u64) -> Fare {
    Fare { taken: Some(Taken { cost, at: 0, marks: [0; 2], is_paid: true }), ..Fare::default() }
}

/// Runs `work` on another thread and here.
fn together<T: Send + 'static>(rates: &Arc<Rates>, work: fn(&Rates) -> T) -> [T; 2] {
    let other = Arc::clone(rates);
    let other = thread::spawn(move || work(&other));
    let here = work(rates);
    [other.join().expect("no panic"), here]
}

#[test]
fn no_more_is_taken_than_there_is() {
    model(|| {
        let rates = rates(1, 100);
        let taken = together(&rates, |rates| rates.take(1, SECOND).is_ok());
        assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
    });
}

#[test]
fn what_is_refused_by_one_rate_is_given_back_to_the_other() {
    model(|| {
        let rates = rates(100, 10);
        let taken = together(&rates, |rates| rates.take(10, SECOND).is_ok());
        let taken = taken.into_iter().filter(|taken| *taken).count();
        assert_eq!(taken, 1);
        let level = rates.requests.level(SECOND).expect("there is a rate");
        assert!((level - 99.0).abs() < 0.001, "{level}");
    });
}

#[test]
fn what_is_given_back_is_there_for_another() {
    model(|| {
        let rates = rates(1, 100);
        together(&rates, |rates| {
            if rates.take(5, SECOND).is_ok() {
                rates.give_back(paid(5));
            }
        });
        assert!(rates.take(100, SECOND).is_ok());
    });
}

#[test]
fn a_rate_that_changes_meanwhile_grants_no_more_than_both_have() {
    model(|| {
        let rates = rates(1, 100);
        let other = Arc::clone(&rates);
        let change = thread::spawn(move || other.requests.set(Some(Rate::per_second(2).burst(2)), SECOND));
        let taken = (0..4).filter(|_| rates.take(1, SECOND).is_ok()).count();
        change.join().expect("no panic");
        // Who still saw the old rate may have been refused.
        let after = (0..4).filter(|_| rates.take(1, SECOND).is_ok()).count();
        assert!((1..=3).contains(&(taken + after)), "{taken} and {after}");
    });
}

#[test]
fn what_was_leased_is_used_once() {
    model(|| {
        let rates = rates(1, 100);
        rates.requests.share(Some(Rate::per_second(1)), 0);
        rates.requests.lease.add(1);
        let taken = together(&rates, |rates| rates.take(1, SECOND).is_ok());
        assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
    });
}
