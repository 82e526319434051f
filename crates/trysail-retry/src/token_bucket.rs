use crate::sync::{AtomicU64, Ordering::Relaxed};

/// The balance of a budget, which fills up by itself, in one word.
///
/// Counted in ten-thousandths of a retry; what is free is counted until some time, in milliseconds.
#[derive(Debug)]
pub(crate) struct TokenBucket(AtomicU64);

impl TokenBucket {
    pub(crate) fn holding(balance: u32) -> Self {
        Self(AtomicU64::new(pack(balance, 0)))
    }

    /// Forgets what is over `capacity` now.
    pub(crate) fn clamp(&self, capacity: u32) {
        let clamp = |word| {
            let (balance, until_ms) = unpack(word);
            (balance > capacity).then(|| pack(capacity, until_ms))
        };
        let _ = self.0.fetch_update(Relaxed, Relaxed, clamp);
    }

    /// Whether there was so much when it was last changed.
    #[inline]
    pub(crate) fn holds(&self, amount: u32) -> bool {
        unpack(self.0.load(Relaxed)).0 >= amount
    }

    pub(crate) fn balance(&self, now_ms: u64, capacity: u32) -> u32 {
        filled(self.0.load(Relaxed), now_ms, capacity).0
    }

    /// Forgets what there is no room for.
    pub(crate) fn settle(&self, now_ms: u64, capacity: u32) {
        let settle = |word| {
            let (balance, until_ms) = filled(word, now_ms, capacity);
            Some(pack(balance, until_ms))
        };
        let _ = self.0.fetch_update(Relaxed, Relaxed, settle);
    }

    /// Whether there was enough, and it is taken; so much must be left, as far as there is room for both.
    pub(crate) fn withdraw(&self, cost: u32, left: u32, now_ms: u64, capacity: u32) -> bool {
        let left = left.min(capacity.saturating_sub(cost));
        let pay = |word| {
            let (balance, until_ms) = filled(word, now_ms, capacity);
            let after = balance.checked_sub(cost).filter(|after| *after >= left)?;
            Some(pack(after, until_ms))
        };
        self.0.fetch_update(Relaxed, Relaxed, pay).is_ok()
    }

    /// Adds to the balance, as far as there is room; writes nothing if there is none.
    ///
    /// Says whether somebody may be waiting for it: there was room, or all there is room for is not `enough`.
    pub(crate) fn deposit(&self, amount: u32, capacity: u32, enough: u32) -> bool {
        let add = |word| {
            let (balance, until_ms) = unpack(word);
            let more = balance.saturating_add(amount).min(capacity.max(balance));
            (more > balance).then(|| pack(more, until_ms))
        };
        match self.0.fetch_update(Relaxed, Relaxed, add) {
            Ok(_) => true,
            Err(full) => unpack(full).0 < enough,
        }
    }
}

/// The balance with what has been free since the word was written, and until when that is counted then.
fn filled(word: u64, now_ms: u64, capacity: u32) -> (u32, u64) {
    let (balance, until_ms) = unpack(word);
    // After eight years the word holds no later time, and nothing is free any more.
    let free = now_ms.min(TIME_MASK).saturating_sub(until_ms) / FREE_EVERY_MS;
    let balance = u64::from(balance).saturating_add(free * FREE).min(capacity.into()) as u32;
    (balance, until_ms + free * FREE_EVERY_MS)
}

const fn pack(balance: u32, until_ms: u64) -> u64 {
    (balance as u64) << TIME_BITS | until_ms
}

const fn unpack(word: u64) -> (u32, u64) {
    ((word >> TIME_BITS) as u32, word & TIME_MASK)
}

/// The largest balance.
pub(crate) const MOST: u32 = (1 << (64 - TIME_BITS)) - 1;
/// So many parts are free in so many milliseconds: a whole retry in 14 s.
const FREE: u64 = 10;
const FREE_EVERY_MS: u64 = 14;
const TIME_BITS: u32 = 38;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;

#[cfg(test)]
mod tests;
