mod bucket;
mod size;

use std::{array, sync::atomic::Ordering::Relaxed, time::Duration};

pub(crate) use self::size::WindowLength;
use self::{
    bucket::{Bucket, COUNT_MASK, FIRST_PARTS, GENERATION_TICKS, Overflow, TICK_MASK, tick},
    size::{BUCKETS, BucketSize},
};
use crate::sync::AtomicU64;

/// How many calls of a sliding window there were, and how many of these are hits, in ten buckets, without a lock.
///
/// Time is given in milliseconds. A new generation begins with an empty window: its ticks are beyond those of the
/// generation before, and a late result of that one finds its bucket taken.
#[derive(Debug)]
pub(crate) struct SlidingWindow {
    /// Each tick has its place, the same again after [`GENERATION_TICKS`].
    buckets: [AtomicU64; PLACES],
    /// What did not fit into them.
    full: [AtomicU64; PLACES],
    /// What its buckets hold, packed.
    shape: AtomicU64,
    /// The current tick of a window of calls; of one of time, that of the bucket that was begun last.
    turn: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) calls: u32,
    pub(crate) hits: u32,
    /// From the first call to now; zero in a window of calls.
    pub(crate) span: Duration,
}

impl SlidingWindow {
    pub(crate) fn new(length: WindowLength) -> Self {
        Self {
            buckets: array::from_fn(|_| AtomicU64::new(0)),
            full: array::from_fn(|_| AtomicU64::new(0)),
            shape: AtomicU64::new(BucketSize::of(length).pack()),
            turn: AtomicU64::new(0),
        }
    }

    /// Begins anew, with a window of this length.
    pub(crate) fn resize(&self, length: WindowLength) {
        self.shape.store(BucketSize::of(length).pack(), Relaxed);
        self.buckets.iter().chain(&self.full).for_each(|word| word.store(0, Relaxed));
    }

    /// Begins anew, at the beginning of a generation.
    pub(crate) fn restart(&self) {
        let turn = self.turn.load(Relaxed);
        self.turn.store((turn + GENERATION_TICKS) & TICK_MASK, Relaxed);
    }

    /// Counts a call that is no hit as of when one was counted last, unless that must be with its time.
    ///
    /// So a busy window of time is asked for the time once in [`GROUP`] calls. At most `GROUP - 1` calls leave it with the
    /// bucket before their own: those after the last of a bucket that was dated. None stays too long.
    #[inline]
    pub(crate) fn count_undated(&self) -> bool {
        let tick = self.turn.load(Relaxed);
        let shape = BucketSize::unpack(self.shape.load(Relaxed));
        let add = |word| match shape {
            BucketSize::Time { .. } if !Bucket::may_count_undated(word) => None,
            BucketSize::Time { .. } => Bucket::add(word, tick, COUNT_MASK, false),
            BucketSize::Calls { width, .. } => Bucket::add(word, tick, width, false),
        };
        self.bucket(tick).fetch_update(Relaxed, Relaxed, add).is_ok()
    }

    pub(crate) fn record(&self, now_ms: u64, generation: u32, hit: bool) {
        let shape = BucketSize::unpack(self.shape.load(Relaxed));
        let (tick, most) = match shape {
            BucketSize::Time { width_ms } => (tick(now_ms / width_ms, generation), COUNT_MASK),
            BucketSize::Calls { width, .. } => (self.turn.load(Relaxed), width),
        };
        let bucket = self.bucket(tick);
        let word = bucket.load(Relaxed);
        let add = Bucket::add(word, tick, most, hit);
        if add.is_none_or(|more| bucket.compare_exchange(word, more, Relaxed, Relaxed).is_err()) {
            self.record_slowly(shape, now_ms, generation, hit);
        }
    }

    /// Whatever state the bucket is in.
    fn record_slowly(&self, shape: BucketSize, now_ms: u64, generation: u32, hit: bool) {
        match shape {
            BucketSize::Time { width_ms } => {
                let tick = tick(now_ms / width_ms, generation);
                let first = (now_ms % width_ms * FIRST_PARTS).div_ceil(width_ms).min(FIRST_PARTS - 1);
                let add = |word| Some(Bucket::unpack(word).at(tick, first)?.emptied_if_full().and(hit).pack());
                // A late result is for nobody, so there is nothing to do if it is not taken.
                if let Ok(before) = self.bucket(tick).fetch_update(Relaxed, Relaxed, add) {
                    let before = Bucket::unpack(before);
                    if before.tick != tick || before.calls == 0 {
                        self.turn.store(tick, Relaxed);
                    }
                    self.carry(tick, before);
                }
            }
            BucketSize::Calls { width, .. } => loop {
                let tick = self.turn.load(Relaxed);
                let add = |word| {
                    let bucket = Bucket::unpack(word).at(tick, 0)?;
                    (bucket.calls < width).then(|| bucket.and(hit).pack())
                };
                if self.bucket(tick).fetch_update(Relaxed, Relaxed, add).is_ok() {
                    return;
                }
                // Overflow; whoever comes first opens the next.
                let _ = self.turn.compare_exchange(tick, (tick + 1) & TICK_MASK, Relaxed, Relaxed);
            },
        }
    }

    /// Keeps what a bucket held that was full, and forgets what an earlier one did not.
    #[inline(never)]
    fn carry(&self, tick: u64, before: Bucket) {
        let full = self.full(tick);
        if before.tick != tick {
            if full.load(Relaxed) != 0 {
                full.store(0, Relaxed);
            }
        } else if before.calls >= COUNT_MASK {
            let more = |word| Some(Overflow::unpack(word).at(tick).and(before.hits).pack());
            let _ = full.fetch_update(Relaxed, Relaxed, more);
        }
    }

    /// Exact where nobody counts meanwhile.
    pub(crate) fn counts(&self, now_ms: u64, generation: u32) -> Counts {
        let (tick, buckets, into_ms, width_ms) = match BucketSize::unpack(self.shape.load(Relaxed)) {
            BucketSize::Time { width_ms } => {
                (tick(now_ms / width_ms, generation), BUCKETS, now_ms % width_ms, width_ms)
            }
            BucketSize::Calls { buckets, .. } => (self.turn.load(Relaxed), buckets, 0, 0),
        };
        let mut counts = Counts::default();
        for age in 0..buckets {
            let tick = tick.wrapping_sub(age) & TICK_MASK;
            let bucket = Bucket::unpack(self.bucket(tick).load(Relaxed));
            if bucket.calls == 0 || bucket.tick != tick {
                continue;
            }
            let first_ms = bucket.first * width_ms / FIRST_PARTS;
            let span_ms = (age * width_ms + into_ms).saturating_sub(first_ms);
            let full = Overflow::unpack(self.full(tick).load(Relaxed)).at(tick);
            counts.count(full.times * COUNT_MASK + bucket.calls, full.hits + bucket.hits);
            counts.span = counts.span.max(Duration::from_millis(span_ms));
        }
        counts
    }

    fn full(&self, tick: u64) -> &AtomicU64 {
        &self.full[tick as usize % PLACES]
    }

    #[inline]
    fn bucket(&self, tick: u64) -> &AtomicU64 {
        &self.buckets[tick as usize % PLACES]
    }
}

impl Counts {
    fn count(&mut self, calls: u64, hits: u64) {
        let more = |sum: u32, more: u64| sum.saturating_add(more.try_into().unwrap_or(u32::MAX));
        (self.calls, self.hits) = (more(self.calls, calls), more(self.hits, hits));
    }
}

const PLACES: usize = GENERATION_TICKS as usize;

#[cfg(all(test, not(trysail_loom)))]
mod tests;
