use std::time::Duration;

use crate::wire::round::Round;

/// All rounds of one client.
#[derive(Default)]
pub(crate) struct Figures {
    rates: Vec<f64>,
    busy: Vec<f64>,
    latencies: Vec<Duration>,
}

impl Figures {
    /// What [`cells`](Self::cells) are.
    pub(crate) const COLUMNS: [&str; 8] = ["calls/s", "ratio", "±", "p50 µs", "p99 µs", "CPU µs", "ratio", "±"];

    pub(crate) fn add(&mut self, mut round: Round) {
        let calls = round.latencies.len() as f64;
        self.rates.push(calls / round.time.as_secs_f64());
        self.busy.extend(round.busy.map(|busy| busy.as_secs_f64() * 1e6 / calls));
        self.latencies.append(&mut round.latencies);
    }

    pub(crate) fn cells(&self, bare: &Self) -> Vec<String> {
        let latencies = sorted(self.latencies.clone(), Duration::cmp);
        let micros = |share| format!("{:.0}", at(&latencies, share).as_secs_f64() * 1e6);
        let [rate, rates @ ..] = compared(&self.rates, &bare.rates, 0);
        let [busy, busies @ ..] = compared(&self.busy, &bare.busy, 1);
        [vec![rate], rates.to_vec(), vec![micros(0.5), micros(0.99), busy], busies.to_vec()].concat()
    }
}

/// The median, that of the ratio to what `bare` was in the same round, and how sure that is.
fn compared(own: &[f64], bare: &[f64], digits: usize) -> [String; 3] {
    if own.is_empty() {
        return ["–"; 3].map(str::to_owned);
    }
    let ratios = sorted(own.iter().zip(bare).map(|(own, bare)| own / bare).collect(), f64::total_cmp);
    let median = at(&sorted(own.to_vec(), f64::total_cmp), 0.5);
    [format!("{median:.digits$}"), format!("{:.3}", at(&ratios, 0.5)), format!("{:.3}", uncertainty(&ratios))]
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
