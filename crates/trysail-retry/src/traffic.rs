use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many calls began in the last ten seconds, in one word: a tick of two seconds, and a count for each of the last
/// five ticks, the current one included.
///
/// Counts stop where a single one fills the largest budget, so a busy caller mostly reads.
#[derive(Debug, Default)]
pub(crate) struct Traffic(AtomicU64);

impl Traffic {
    pub(crate) fn count(&self, now_ms: u64) {
        let add = |word| {
            let (tick, counts) = seen(word, tick(now_ms));
            let full = counts & COUNT_MASK >= ENOUGH;
            (!full).then_some(tick << COUNTS_BITS | (counts + 1))
        };
        // Enough is as good as counted.
        let _ = self.0.fetch_update(Relaxed, Relaxed, add);
    }

    /// How many there were in the ten seconds until now.
    pub(crate) fn calls(&self, now_ms: u64) -> u32 {
        sum(seen(self.0.load(Relaxed), tick(now_ms)).1)
    }

    /// How many there were in the ten seconds until the last of them: no clock is needed to know.
    pub(crate) fn last_calls(&self) -> u32 {
        sum(self.0.load(Relaxed) & COUNTS_MASK)
    }
}

/// The counts of a word as seen from `tick`, or from its own if that is later.
const fn seen(word: u64, tick: u64) -> (u64, u64) {
    let counts = word & COUNTS_MASK;
    let age = tick.wrapping_sub(word >> COUNTS_BITS) & TICK_MASK;
    if age > TICK_MASK / 2 {
        (word >> COUNTS_BITS, counts)
    } else if age >= TICKS {
        (tick, 0)
    } else {
        (tick, counts << (age as u32 * COUNT_BITS) & COUNTS_MASK)
    }
}

const fn tick(now_ms: u64) -> u64 {
    (now_ms / TICK_MS) & TICK_MASK
}

const fn sum(counts: u64) -> u32 {
    let mut sum = 0;
    let mut tick = 0;
    while tick < TICKS as u32 {
        sum += (counts >> (tick * COUNT_BITS) & COUNT_MASK) as u32;
        tick += 1;
    }
    sum
}

const TICK_MS: u64 = 2_000;
const TICKS: u64 = 5;
const COUNT_BITS: u32 = 8;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const COUNTS_BITS: u32 = COUNT_BITS * TICKS as u32;
const COUNTS_MASK: u64 = (1 << COUNTS_BITS) - 1;
const TICK_MASK: u64 = u64::MAX >> COUNTS_BITS;
/// 0.2 of it is the largest budget.
const ENOUGH: u64 = 180;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_forgotten_after_eight_to_ten_seconds() {
        let traffic = Traffic::default();
        for now_ms in [0, 1_999, 2_000, 9_999] {
            traffic.count(now_ms);
        }
        let calls = [9_999, 10_000, 12_000, 17_999, 18_000, 1 << 50].map(|now_ms| traffic.calls(now_ms));
        assert_eq!(calls, [4, 2, 1, 1, 0, 0]);
        traffic.count(1 << 50);
        assert_eq!((traffic.calls(1 << 50), traffic.last_calls()), (1, 1));
    }

    #[test]
    fn a_late_clock_counts_where_the_others_are() {
        let traffic = Traffic::default();
        traffic.count(20_000);
        traffic.count(3_000);
        assert_eq!((traffic.calls(20_000), traffic.calls(3_000)), (2, 2));
    }

    #[test]
    fn enough_is_enough() {
        let traffic = Traffic::default();
        (0..100_000).for_each(|_| traffic.count(0));
        assert_eq!(traffic.calls(0), ENOUGH as u32);
        (0..100_000).for_each(|_| traffic.count(2_000));
        assert_eq!(traffic.calls(2_000), 2 * ENOUGH as u32);
    }
}
