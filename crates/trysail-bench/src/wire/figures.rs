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
        let [busy, busies @ ..] = compared(&self.busy, &bare.busy, 1);
        let [rate, rates @ ..] = compared(&self.rates, &bare.rates, 0);
        [vec![rate], rates.to_vec(), vec![self.micros(0.5), self.micros(0.99), busy], busies.to_vec()].concat()
    }

    /// How many calls a second.
    pub(crate) fn rate(&self) -> f64 {
        median(&self.rates)
    }

    /// The median of the ratios to what `bare` did in the same round, and how sure that is.
    pub(crate) fn ratio(&self, bare: &Self) -> [f64; 2] {
        ratio(&self.rates, &bare.rates)
    }

    /// Microseconds of the client's thread for a call, where they are known.
    pub(crate) fn busy(&self) -> String {
        if self.busy.is_empty() { UNKNOWN.to_owned() } else { format!("{:.1}", median(&self.busy)) }
    }

    /// Microseconds that this share of the calls took at most.
    pub(crate) fn micros(&self, share: f64) -> String {
        let latencies = sorted(self.latencies.clone(), Duration::cmp);
        format!("{:.0}", at(&latencies, share).as_secs_f64() * 1e6)
    }
}

fn compared(own: &[f64], bare: &[f64], digits: usize) -> [String; 3] {
    if own.is_empty() {
        return [UNKNOWN; 3].map(str::to_owned);
    }
    let [ratio, uncertainty] = ratio(own, bare).map(|figure| format!("{figure:.3}"));
    [format!("{:.digits$}", median(own)), ratio, uncertainty]
}

fn ratio(own: &[f64], bare: &[f64]) -> [f64; 2] {
    let ratios = sorted(own.iter().zip(bare).map(|(own, bare)| own / bare).collect(), f64::total_cmp);
    [at(&ratios, 0.5), uncertainty(&ratios)]
}

fn median(all: &[f64]) -> f64 {
    at(&sorted(all.to_vec(), f64::total_cmp), 0.5)
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

const UNKNOWN: &str = "–";
