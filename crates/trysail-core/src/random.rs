use core::sync::atomic::{AtomicU64, Ordering};

/// A source of randomness that many calls share without a lock: SplitMix64 over an atomic counter.
///
/// Good for spreading load, not for secrets.
#[derive(Debug)]
pub struct Random(AtomicU64);

impl Random {
    /// A source whose draws follow from `seed`.
    pub const fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next draw, uniform over all of `u64`.
    pub fn draw(&self) -> u64 {
        let mut z = self.0.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A draw from `0..bound`, or 0 if `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        ((u128::from(self.draw()) * u128::from(bound)) >> 64) as u64
    }
}

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
