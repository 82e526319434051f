use std::time::Duration;

/// How long things took, to within three percent and in constant memory.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    counts: [u64; STEPS * OCTAVES],
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: [0; STEPS * OCTAVES] }
    }
}

impl Latencies {
    pub(crate) fn record(&mut self, took: Duration) {
        let step = (took.as_secs_f64() / SHORTEST).max(1.0).log2() * STEPS as f64;
        self.counts[(step as usize).min(STEPS * OCTAVES - 1)] += 1;
    }

    /// The time within which `share` of them were over; `None` if there are none.
    pub(crate) fn quantile(&self, share: f64) -> Option<Duration> {
        let rank = (self.counts.iter().sum::<u64>() as f64 * share).ceil();
        let mut seen = 0;
        let step = self.counts.iter().position(|count| {
            seen += count;
            seen > 0 && seen as f64 >= rank
        })?;
        // The middle of the step.
        Some(Duration::from_secs_f64(SHORTEST * ((step as f64 + 0.5) / STEPS as f64).exp2()))
    }
}

const SHORTEST: f64 = 1e-5;
const STEPS: usize = 12;
/// Up to two days.
const OCTAVES: usize = 34;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_right_to_within_three_percent() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantile(0.5), None);
        for ms in 1..=1000 {
            latencies.record(Duration::from_millis(ms));
        }
        for share in [0.01, 0.5, 0.99, 1.0] {
            let found = latencies.quantile(share).unwrap().as_secs_f64();
            assert!((found / share - 1.0).abs() < 0.03, "{share}: {found}");
        }
        latencies.record(Duration::MAX);
        assert!(latencies.quantile(1.0).unwrap() > Duration::from_secs(86_400));
    }
}
