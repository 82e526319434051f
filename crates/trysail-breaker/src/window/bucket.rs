//! What a window is made of, each thing in one word.

/// One bucket in one word: whose it is, when its first call ended, and its counts.
#[derive(Clone, Copy)]
pub(super) struct Bucket {
    pub(super) tick: u64,
    pub(super) first: u64,
    pub(super) calls: u64,
    pub(super) hits: u64,
}

/// How often a bucket was full and begun again, and the hits of these times, in one word: whose they are is the end of
/// its tick.
#[derive(Clone, Copy)]
pub(super) struct Overflow {
    pub(super) tick: u64,
    pub(super) times: u64,
    pub(super) hits: u64,
}

impl Bucket {
    /// This bucket as it is at `tick`: emptied if it was an earlier one's; `None` if it is a later one's already.
    pub(super) const fn at(self, tick: u64, first: u64) -> Option<Self> {
        match age(tick, self.tick) {
            0 if self.calls > 0 => Some(self),
            age if age >= 0 || self.calls == 0 => Some(Self { tick, first, calls: 0, hits: 0 }),
            _ => None,
        }
    }

    pub(super) const fn and(self, hit: bool) -> Self {
        Self { calls: self.calls + 1, hits: self.hits + hit as u64, ..self }
    }

    pub(super) const fn emptied_if_full(self) -> Self {
        if self.calls < COUNT_MASK { self } else { Self { calls: 0, hits: 0, ..self } }
    }

    /// The word with one more call, of a bucket that is this tick's already and has room.
    #[inline]
    pub(super) const fn add(word: u64, tick: u64, most: u64, hit: bool) -> Option<u64> {
        let calls = word >> COUNT_BITS & COUNT_MASK;
        if word >> TICK_AT == tick && calls > 0 && calls < most {
            Some(word + (1 << COUNT_BITS) + hit as u64)
        } else {
            None
        }
    }

    /// Whether the next call may be counted without a look at the clock: there are many, and it is no [group](GROUP)'s
    /// first.
    #[inline]
    pub(super) const fn may_count_undated(word: u64) -> bool {
        let calls = word >> COUNT_BITS & COUNT_MASK;
        calls >= BUSY && !calls.is_multiple_of(GROUP)
    }

    pub(super) const fn unpack(word: u64) -> Self {
        Self {
            tick: word >> TICK_AT,
            first: (word >> (2 * COUNT_BITS)) & (FIRST_PARTS - 1),
            calls: (word >> COUNT_BITS) & COUNT_MASK,
            hits: word & COUNT_MASK,
        }
    }

    pub(super) const fn pack(self) -> u64 {
        (self.tick << TICK_AT) | (self.first << (2 * COUNT_BITS)) | (self.calls << COUNT_BITS) | self.hits
    }
}

impl Overflow {
    /// What is that tick's.
    pub(super) const fn at(self, tick: u64) -> Self {
        let tick = tick & FULL_TICK_MASK;
        if self.tick == tick { self } else { Self { tick, times: 0, hits: 0 } }
    }

    /// Once more; in numbers that no snapshot shows, it stops counting.
    pub(super) const fn and(self, hits: u64) -> Self {
        if self.times == FULL_TIMES_MASK {
            return self;
        }
        Self { times: self.times + 1, hits: self.hits + hits, ..self }
    }

    pub(super) const fn unpack(word: u64) -> Self {
        Self {
            tick: word >> FULL_TICK_AT,
            times: (word >> FULL_HITS_BITS) & FULL_TIMES_MASK,
            hits: word & ((1 << FULL_HITS_BITS) - 1),
        }
    }

    pub(super) const fn pack(self) -> u64 {
        (self.tick << FULL_TICK_AT) | (self.times << FULL_HITS_BITS) | self.hits
    }
}

pub(super) const fn tick(tick: u64, generation: u32) -> u64 {
    tick.wrapping_add(generation as u64 * GENERATION_TICKS) & TICK_MASK
}

/// How many ticks `then` is before `now`; negative if it is after, which only a little may be: what looks farther ahead
/// has been idle for so long that the ticks came round.
pub(super) const fn age(now: u64, then: u64) -> i64 {
    (now.wrapping_sub(then).wrapping_add(MOST_AHEAD) & TICK_MASK) as i64 - MOST_AHEAD as i64
}

/// Of a bucket with so many calls on…
const BUSY: u64 = 256;
/// …one call in so many reads the clock.
pub(super) const GROUP: u64 = 8;
/// More than there are buckets, so that generations never share a window.
pub(super) const GENERATION_TICKS: u64 = 16;
/// How far a result may be behind its bucket: a few generations.
const MOST_AHEAD: u64 = 4 * GENERATION_TICKS;
const COUNT_BITS: u32 = 14;
pub(super) const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const FIRST_BITS: u32 = 10;
pub(super) const FIRST_PARTS: u64 = 1 << FIRST_BITS;
const TICK_AT: u32 = FIRST_BITS + 2 * COUNT_BITS;
const TICK_BITS: u32 = 64 - TICK_AT;
pub(super) const TICK_MASK: u64 = (1 << TICK_BITS) - 1;
const FULL_TIMES_BITS: u32 = 19;
pub(super) const FULL_TIMES_MASK: u64 = (1 << FULL_TIMES_BITS) - 1;
/// Each time has room for as many hits as calls.
const FULL_HITS_BITS: u32 = FULL_TIMES_BITS + COUNT_BITS;
const FULL_TICK_AT: u32 = FULL_HITS_BITS + FULL_TIMES_BITS;
const FULL_TICK_MASK: u64 = (1 << (64 - FULL_TICK_AT)) - 1;
