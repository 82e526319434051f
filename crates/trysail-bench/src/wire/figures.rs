use std::time::Duration;

use crate::wire::round::Round;

/// All rounds of one client.
#[derive(Default)]
pub(crate) struct Figures {
    rates: Vec<f64>,
    latencies: Vec<Duration>,
}

impl Figures {
    pub(crate) fn add(&mut self, mut round: Round) {
        self.rates.push(round.rate);
        self.latencies.append(&mut round.latencies);
    }

    /// Requests a second, their ratio to those of `bare` and how sure it is, and two latencies in microseconds.
    pub(crate) fn cells(&self, bare: &Self) -> [String; 5] {
        let rates = sorted(self.rates.clone(), f64::total_cmp);
        let ratios = self.rates.iter().zip(&bare.rates).map(|(rate, bare)| rate / bare).collect();
        let ratios = sorted(ratios, f64::total_cmp);
        let latencies = sorted(self.latencies.clone(), Duration::cmp);
        let micros = |share| at(&latencies, share).as_secs_f64() * 1e6;
        [
            format!("{:.0}", at(&rates, 0.5)),
            format!("{:.3}", at(&ratios, 0.5)),
            format!("{:.3}", uncertainty(&ratios)),
            format!("{:.0}", micros(0.5)),
            format!("{:.0}", micros(0.99)),
        ]
    }
}

fn sorted<T>(mut all: Vec<T>, by: fn(&T, &T) -> std::cmp::Ordering) -> Vec<T> {
    all.sort_by(by);
    all
}

/// What stands at this share of what is sorted.
fn at<T: Copy>(sorted: &[T], share: f64) -> T {
    sorted[((sorted.len() - 1) as f64 * share.clamp(0.0, 1.0)).round() as usize]
}

/// Half the width of the interval that holds the true median in 95 of 100 runs; by ranks, whatever the distribution.
fn uncertainty(sorted: &[f64]) -> f64 {
    let share = 0.98 / (sorted.len() as f64).sqrt();
    (at(sorted, 0.5 + share) - at(sorted, 0.5 - share)) / 2.0
}
