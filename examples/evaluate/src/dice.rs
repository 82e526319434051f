use std::f64::consts::TAU;

use trysail::verdict::Random;

/// Seeded draws.
#[derive(Debug)]
pub(crate) struct Dice(Random);

impl Dice {
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(Random::seeded(seed))
    }

    /// From 0 to 1, without 1.
    pub(crate) fn uniform(&self) -> f64 {
        (self.0.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&self, bound: usize) -> usize {
        (self.uniform() * bound as f64) as usize
    }

    /// The time to the next of events that come by themselves.
    pub(crate) fn gap(&self, a_second: f64) -> f64 {
        -(1.0 - self.uniform()).ln() / a_second
    }

    pub(crate) fn normal(&self, mean: f64, deviation: f64) -> f64 {
        mean + deviation * (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }
}
