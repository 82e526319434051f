use crate::sync::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// How many calls began in the last ten seconds.
///
/// Of a busy caller, one call in eight reads the clock, and the others count as of then.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// A tick of two seconds, and a count for each of the last five ticks, the current one included.
    ///
    /// Counts stop where a single one fills the largest budget.
    counts: AtomicU64,
    /// Calls that were not counted any more.
    uncounted: AtomicU32,
}

impl Traffic {
    /// Counts a call as of when the clock was read last, unless it is time to read it again.
    pub(crate) fn count_undated(&self) -> bool {
        let word = self.counts.load(Relaxed);
        match word & COUNT_MASK {
            ..BUSY => false,
            count @ BUSY..ENOUGH if count % GROUP == 0 => false,
            BUSY..ENOUGH => self.counts.compare_exchange(word, word + 1, Relaxed, Relaxed).is_ok(),
            // Enough is as good as counted.
            ENOUGH.. => u64::from(self.uncounted.fetch_add(1, Relaxed)) % GROUP != 0,
        }
    }

    /// Counts a call; if that begins a tick, gives how many calls there were before.
    pub(crate) fn count(&self, now_ms: u64) -> Option<u32> {
        let add = |word| {
            let (tick, counts) = seen(word, tick(now_ms));
            let full = counts & COUNT_MASK >= ENOUGH;
            (!full).then_some(tick << COUNTS_BITS | (counts + 1))
        };
        let before = self.counts.fetch_update(Relaxed, Relaxed, add).ok()?;
        let (tick, counts) = seen(before, tick(now_ms));
        (tick != before >> COUNTS_BITS).then(|| sum(counts))
    }

    /// How many there were in the ten seconds until now.
    pub(crate) fn calls(&self, now_ms: u64) -> u32 {
        sum(seen(self.counts.load(Relaxed), tick(now_ms)).1)
    }

    /// How many there were in the ten seconds until the last of them: no clock is needed to know.
    #[inline]
    pub(crate) fn last_calls(&self) -> u32 {
        sum(self.counts.load(Relaxed) & COUNTS_MASK)
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

/// Of so many calls in a tick on, so many share a reading of the clock.
const BUSY: u64 = 16;
const GROUP: u64 = 8;
const TICK_MS: u64 = 2_000;
const TICKS: u64 = 5;
const COUNT_BITS: u32 = 8;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const COUNTS_BITS: u32 = COUNT_BITS * TICKS as u32;
const COUNTS_MASK: u64 = (1 << COUNTS_BITS) - 1;
const TICK_MASK: u64 = u64::MAX >> COUNTS_BITS;
/// 0.2 of it is the largest budget.
const ENOUGH: u64 = 180;

#[cfg(all(test, not(trysail_loom)))]
mod tests;
