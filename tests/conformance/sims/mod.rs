//! Simulations of events, without a clock: our backoff and our budget take the time as an argument.

mod contention;
mod errors;
mod loops;
mod storm;

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    f64::consts::TAU,
};

use trysail::verdict::Random;

/// Seeded draws.
struct Dice(Random);

impl Dice {
    const fn seeded(seed: u64) -> Self {
        Self(Random::seeded(seed))
    }

    /// From 0 to 1, without 1.
    fn uniform(&self) -> f64 {
        (self.0.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The time to the next of events that come by themselves.
    fn gap(&self, a_second: f64) -> f64 {
        -(1.0 - self.uniform()).ln() / a_second
    }

    fn normal(&self, mean: f64, deviation: f64) -> f64 {
        mean + deviation * (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }

    fn chance(&self, share: f64) -> bool {
        self.uniform() < share
    }
}

/// What happens when, earliest first.
struct Agenda<E>(BinaryHeap<Reverse<Entry<E>>>);

struct Entry<E> {
    at: f64,
    event: E,
}

impl<E> Agenda<E> {
    const fn new() -> Self {
        Self(BinaryHeap::new())
    }

    fn add(&mut self, at: f64, event: E) {
        self.0.push(Reverse(Entry { at, event }));
    }

    fn next(&mut self) -> Option<(f64, E)> {
        self.0.pop().map(|Reverse(Entry { at, event })| (at, event))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.total_cmp(&other.at)
    }
}

/// Mean, and standard error of it.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}
