use std::{array, sync::atomic::Ordering::Relaxed, time::Duration};

use crate::sync::AtomicU64;

/// How many calls of a sliding window there were, and how many of these are hits, in ten buckets, without a lock.
///
/// Time is given in milliseconds. A new generation begins with an empty window: its ticks are beyond those of the
/// generation before, and a late result of that one finds its bucket taken.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Window {
    buckets: [AtomicU64; BUCKETS as usize],
    /// What its buckets hold, packed.
    shape: AtomicU64,
    /// The current tick of a window of calls.
    turn: AtomicU64,
}

/// How long a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Time(Duration),
    Calls(u32),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) calls: u32,
    pub(crate) hits: u32,
    /// From the first call to now; zero in a window of calls.
    pub(crate) span: Duration,
}

/// What the buckets of a window hold.
#[derive(Clone, Copy)]
enum Shape {
    /// So many milliseconds each.
    Time { width_ms: u64 },
    /// So many calls each, in so many buckets.
    Calls { width: u64, buckets: u64 },
}

/// One bucket in one word: whose it is, when its first call ended, and its counts.
#[derive(Clone, Copy)]
struct Bucket {
    tick: u64,
    first: u64,
    calls: u64,
    hits: u64,
}

impl Window {
    pub(crate) fn new(length: Length) -> Self {
        Self {
            buckets: array::from_fn(|_| AtomicU64::new(0)),
            shape: AtomicU64::new(Shape::of(length).pack()),
            turn: AtomicU64::new(0),
        }
    }

    /// Begins anew, with a window of this length.
    pub(crate) fn resize(&self, length: Length) {
        self.shape.store(Shape::of(length).pack(), Relaxed);
        self.buckets.iter().for_each(|bucket| bucket.store(0, Relaxed));
    }

    /// Begins anew, at the beginning of a generation.
    pub(crate) fn restart(&self) {
        let turn = self.turn.load(Relaxed);
        self.turn.store((turn + GENERATION_TICKS) & TICK_MASK, Relaxed);
    }

    #[inline]
    pub(crate) fn record(&self, now_ms: u64, generation: u32, hit: bool) {
        let shape = Shape::unpack(self.shape.load(Relaxed));
        let (tick, most) = match shape {
            Shape::Time { width_ms } => (tick(now_ms / width_ms, generation), COUNT_MASK),
            Shape::Calls { width, .. } => (self.turn.load(Relaxed), width),
        };
        let bucket = self.bucket(tick);
        let word = bucket.load(Relaxed);
        let add = Bucket::add(word, tick, most, hit);
        if add.is_none_or(|more| bucket.compare_exchange(word, more, Relaxed, Relaxed).is_err()) {
            self.record_slowly(shape, now_ms, generation, hit);
        }
    }

    /// Whatever state the bucket is in.
    fn record_slowly(&self, shape: Shape, now_ms: u64, generation: u32, hit: bool) {
        match shape {
            Shape::Time { width_ms } => {
                let tick = tick(now_ms / width_ms, generation);
                let first = (now_ms % width_ms * FIRST_PARTS).div_ceil(width_ms).min(FIRST_PARTS - 1);
                let add = |word| Some(Bucket::unpack(word).at(tick, first)?.halved_if_full().and(hit).pack());
                // A late result is for nobody, so there is nothing to do if it is not taken.
                let _ = self.bucket(tick).fetch_update(Relaxed, Relaxed, add);
            }
            Shape::Calls { width, .. } => loop {
                let tick = self.turn.load(Relaxed);
                let add = |word| {
                    let bucket = Bucket::unpack(word).at(tick, 0)?;
                    (bucket.calls < width).then(|| bucket.and(hit).pack())
                };
                if self.bucket(tick).fetch_update(Relaxed, Relaxed, add).is_ok() {
                    return;
                }
                // Full; whoever comes first opens the next.
                let _ = self.turn.compare_exchange(tick, (tick + 1) & TICK_MASK, Relaxed, Relaxed);
            },
        }
    }

    pub(crate) fn tally(&self, now_ms: u64, generation: u32) -> Tally {
        let (tick, buckets, into_ms, width_ms) = match Shape::unpack(self.shape.load(Relaxed)) {
            Shape::Time { width_ms } => (tick(now_ms / width_ms, generation), BUCKETS, now_ms % width_ms, width_ms),
            Shape::Calls { buckets, .. } => (self.turn.load(Relaxed), buckets, 0, 0),
        };
        let mut tally = Tally::default();
        for word in &self.buckets {
            let bucket = Bucket::unpack(word.load(Relaxed));
            let age = age(tick, bucket.tick);
            if bucket.calls == 0 || !(0..buckets as i64).contains(&age) {
                continue;
            }
            let first_ms = bucket.first * width_ms / FIRST_PARTS;
            let span_ms = (age as u64 * width_ms + into_ms).saturating_sub(first_ms);
            tally.calls += bucket.calls as u32;
            tally.hits += bucket.hits as u32;
            tally.span = tally.span.max(Duration::from_millis(span_ms));
        }
        tally
    }

    #[inline]
    fn bucket(&self, tick: u64) -> &AtomicU64 {
        &self.buckets[(tick % BUCKETS) as usize]
    }
}

impl Length {
    /// How many calls a window is sure to hold once it is full, whatever the rate of calls.
    pub(crate) fn holds(self) -> u32 {
        match self {
            Self::Time(_) => COUNT_MASK as u32 / 2,
            Self::Calls(calls) => {
                let calls = calls.clamp(1, MOST_CALLS);
                (calls.div_ceil(width(calls)) - 1) * width(calls) + 1
            }
        }
    }
}

impl Shape {
    fn of(length: Length) -> Self {
        match length {
            Length::Time(length) => {
                let ms = length.as_millis().min(u128::from(u32::MAX)) as u64;
                Self::Time { width_ms: (ms / BUCKETS).max(1) }
            }
            Length::Calls(calls) => {
                let calls = calls.clamp(1, MOST_CALLS);
                Self::Calls { width: width(calls).into(), buckets: calls.div_ceil(width(calls)).into() }
            }
        }
    }

    const fn pack(self) -> u64 {
        match self {
            Self::Time { width_ms } => width_ms,
            Self::Calls { width, buckets } => buckets << BUCKETS_AT | width,
        }
    }

    #[inline]
    const fn unpack(word: u64) -> Self {
        match word >> BUCKETS_AT {
            0 => Self::Time { width_ms: word },
            buckets => Self::Calls { width: word & !(u64::MAX << BUCKETS_AT), buckets },
        }
    }
}

impl Bucket {
    /// This bucket as it is at `tick`: emptied if it was an earlier one's; `None` if it is a later one's already.
    const fn at(self, tick: u64, first: u64) -> Option<Self> {
        match age(tick, self.tick) {
            0 if self.calls > 0 => Some(self),
            age if age >= 0 || self.calls == 0 => Some(Self { tick, first, calls: 0, hits: 0 }),
            _ => None,
        }
    }

    const fn and(self, hit: bool) -> Self {
        Self { calls: self.calls + 1, hits: self.hits + hit as u64, ..self }
    }

    /// Keeps the share of hits where the counts would overflow.
    const fn halved_if_full(self) -> Self {
        if self.calls < COUNT_MASK { self } else { Self { calls: self.calls / 2, hits: self.hits / 2, ..self } }
    }

    /// The word with one more call, of a bucket that is this tick's already and has room.
    #[inline]
    const fn add(word: u64, tick: u64, most: u64, hit: bool) -> Option<u64> {
        let calls = word >> COUNT_BITS & COUNT_MASK;
        if word >> TICK_AT == tick && calls > 0 && calls < most {
            Some(word + (1 << COUNT_BITS) + hit as u64)
        } else {
            None
        }
    }

    const fn unpack(word: u64) -> Self {
        Self {
            tick: word >> TICK_AT,
            first: (word >> (2 * COUNT_BITS)) & (FIRST_PARTS - 1),
            calls: (word >> COUNT_BITS) & COUNT_MASK,
            hits: word & COUNT_MASK,
        }
    }

    const fn pack(self) -> u64 {
        (self.tick << TICK_AT) | (self.first << (2 * COUNT_BITS)) | (self.calls << COUNT_BITS) | self.hits
    }
}

const fn tick(tick: u64, generation: u32) -> u64 {
    tick.wrapping_add(generation as u64 * GENERATION_TICKS) & TICK_MASK
}

/// Of how many calls a bucket is, in a window of so many.
const fn width(calls: u32) -> u32 {
    calls.div_ceil(BUCKETS as u32)
}

/// How many ticks `then` is before `now`; negative if it is after, which only a little may be: what looks farther ahead
/// has been idle for so long that the ticks came round.
const fn age(now: u64, then: u64) -> i64 {
    (now.wrapping_sub(then).wrapping_add(MOST_AHEAD) & TICK_MASK) as i64 - MOST_AHEAD as i64
}

const BUCKETS: u64 = 10;
/// More than there are buckets, so that generations never share a window.
const GENERATION_TICKS: u64 = 16;
/// How far a result may be behind its bucket: a few generations.
const MOST_AHEAD: u64 = 4 * GENERATION_TICKS;
const BUCKETS_AT: u32 = 56;
const MOST_CALLS: u32 = 100_000;
const COUNT_BITS: u32 = 14;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const FIRST_BITS: u32 = 10;
const FIRST_PARTS: u64 = 1 << FIRST_BITS;
const TICK_AT: u32 = FIRST_BITS + 2 * COUNT_BITS;
const TICK_BITS: u32 = 64 - TICK_AT;
const TICK_MASK: u64 = (1 << TICK_BITS) - 1;

#[cfg(all(test, not(trysail_loom)))]
mod tests;
