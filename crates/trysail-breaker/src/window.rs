use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Counts of the calls of a sliding window, in ten buckets, without a lock.
///
/// Time is given in milliseconds. A new generation begins with an empty window: its ticks are beyond those of the
/// generation before, and a late result of that one finds its bucket taken.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Window {
    buckets: [AtomicU64; BUCKETS as usize],
    width_ms: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) calls: u32,
    pub(crate) failures: u32,
    /// From the first call to now.
    pub(crate) span: Duration,
}

/// One bucket in one word: whose it is, when its first call ended, and its counts.
#[derive(Clone, Copy)]
struct Bucket {
    tick: u64,
    first: u64,
    calls: u64,
    failures: u64,
}

impl Window {
    pub(crate) fn new(length: Duration) -> Self {
        let width_ms = (length.as_millis() / u128::from(BUCKETS)).clamp(1, u128::from(u32::MAX)) as u64;
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS as usize], width_ms }
    }

    pub(crate) fn record(&self, now_ms: u64, generation: u32, failed: bool) {
        let tick = self.tick(now_ms, generation);
        let first = (now_ms % self.width_ms * FIRST_PARTS).div_ceil(self.width_ms).min(FIRST_PARTS - 1);
        let add = |word| {
            let bucket = Bucket::unpack(word);
            let bucket = match age(tick, bucket.tick) {
                0 if bucket.calls > 0 => bucket.halved_if_full(),
                age if age > 0 || bucket.calls == 0 => Bucket { tick, first, calls: 0, failures: 0 },
                _ => return None,
            };
            let failures = bucket.failures + u64::from(failed);
            Some(Bucket { calls: bucket.calls + 1, failures, ..bucket }.pack())
        };
        // A late result is for nobody, so there is nothing to do if it is not taken.
        let _ = self.buckets[(tick % BUCKETS) as usize].fetch_update(Relaxed, Relaxed, add);
    }

    pub(crate) fn tally(&self, now_ms: u64, generation: u32) -> Tally {
        let tick = self.tick(now_ms, generation);
        let into_tick = now_ms % self.width_ms;
        let mut tally = Tally::default();
        for word in &self.buckets {
            let bucket = Bucket::unpack(word.load(Relaxed));
            let age = age(tick, bucket.tick);
            if bucket.calls == 0 || !(0..BUCKETS as i64).contains(&age) {
                continue;
            }
            let first_ms = bucket.first * self.width_ms / FIRST_PARTS;
            let span_ms = (age as u64 * self.width_ms + into_tick).saturating_sub(first_ms);
            tally.calls += bucket.calls as u32;
            tally.failures += bucket.failures as u32;
            tally.span = tally.span.max(Duration::from_millis(span_ms));
        }
        tally
    }

    fn tick(&self, now_ms: u64, generation: u32) -> u64 {
        (now_ms / self.width_ms).wrapping_add(u64::from(generation) * GENERATION_TICKS) & TICK_MASK
    }
}

impl Bucket {
    const fn unpack(word: u64) -> Self {
        Self {
            tick: word >> (FIRST_BITS + 2 * COUNT_BITS),
            first: (word >> (2 * COUNT_BITS)) & (FIRST_PARTS - 1),
            calls: (word >> COUNT_BITS) & COUNT_MASK,
            failures: word & COUNT_MASK,
        }
    }

    const fn pack(self) -> u64 {
        (self.tick << (FIRST_BITS + 2 * COUNT_BITS))
            | (self.first << (2 * COUNT_BITS))
            | (self.calls << COUNT_BITS)
            | self.failures
    }

    /// Keeps the share of failures where the counts would overflow.
    const fn halved_if_full(self) -> Self {
        if self.calls < COUNT_MASK { self } else { Self { calls: self.calls / 2, failures: self.failures / 2, ..self } }
    }
}

/// How many ticks `then` is before `now`; negative if it is after.
const fn age(now: u64, then: u64) -> i64 {
    ((now.wrapping_sub(then) << (64 - TICK_BITS)) as i64) >> (64 - TICK_BITS)
}

const BUCKETS: u64 = 10;
/// More than there are buckets, so that generations never share a window.
const GENERATION_TICKS: u64 = 16;
const COUNT_BITS: u32 = 13;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const FIRST_BITS: u32 = 10;
const FIRST_PARTS: u64 = 1 << FIRST_BITS;
const TICK_BITS: u32 = 64 - FIRST_BITS - 2 * COUNT_BITS;
const TICK_MASK: u64 = (1 << TICK_BITS) - 1;

#[cfg(test)]
mod tests;
