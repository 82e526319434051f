use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use trysail_core::Random;

/// Exponential backoff, or linear or constant: delays between attempts, up to a cap, and then jitter.
///
/// It iterates over one delay a retry, so anything else that does can stand in its place: `[SECOND; 3]`, say.
/// Clones share their source of randomness, so no two calls wait alike.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_retry::{Backoff, Jitter};
/// let delays: Vec<_> = Backoff::exponential(Duration::from_millis(100)).jitter(Jitter::None).into_iter().collect();
/// assert_eq!(delays, [100, 200, 400].map(Duration::from_millis));
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    growth: Growth,
    first: Duration,
    cap: Duration,
    jitter: Jitter,
    retries: u32,
    random: Arc<Random>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Growth {
    Constant,
    Linear,
    Exponential,
}

/// How a delay is spread, so that callers which failed together do not come back as a thundering herd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// Not at all.
    None,
    /// Anywhere between nothing and the delay.
    Full,
    /// Half of the delay, and anywhere up to the other half.
    Equal,
    /// Anywhere between the first delay and three times the one before, up to the cap, however the delays grow
    /// otherwise.
    Decorrelated,
}

impl Backoff {
    /// Starts at `first` and doubles, to at most 10 s, for 3 retries, with full jitter.
    pub fn exponential(first: Duration) -> Self {
        Self {
            growth: Growth::Exponential,
            first,
            cap: Duration::from_secs(10),
            jitter: Jitter::Full,
            retries: 3,
            random: Arc::new(Random::seeded(entropy())),
        }
    }

    /// Starts at `first` and grows by as much each time; otherwise as [`exponential`](Self::exponential).
    pub fn linear(first: Duration) -> Self {
        Self { growth: Growth::Linear, ..Self::exponential(first) }
    }

    /// Always `delay`, for 3 retries, with full jitter.
    pub fn constant(delay: Duration) -> Self {
        Self { growth: Growth::Constant, cap: delay, ..Self::exponential(delay) }
    }

    /// The longest delay.
    pub fn cap(self, cap: Duration) -> Self {
        Self { cap, ..self }
    }

    /// How the delays are spread.
    pub fn jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// How many retries there are at most.
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// Makes the jitter repeatable.
    pub fn seed(self, seed: u64) -> Self {
        Self { random: Arc::new(Random::seeded(seed)), ..self }
    }

    /// The delay of a retry, so many after the last one that was asked for.
    fn delay(&self, retry: u32, skipped: u32, last: Duration) -> Duration {
        let delay = self.grown(retry).min(self.cap);
        match self.jitter {
            Jitter::None => delay,
            Jitter::Full => spread(&self.random, delay),
            Jitter::Equal => delay / 2 + spread(&self.random, delay - delay / 2),
            Jitter::Decorrelated => (0..=skipped.min(FORGOTTEN)).fold(last, |before, _| {
                let most = before.saturating_mul(3).saturating_sub(self.first);
                self.first.saturating_add(spread(&self.random, most)).min(self.cap)
            }),
        }
    }

    fn grown(&self, retry: u32) -> Duration {
        match self.growth {
            Growth::Constant => self.first,
            Growth::Linear => self.first.saturating_mul(retry.saturating_add(1)),
            Growth::Exponential if self.first.is_zero() => Duration::ZERO,
            Growth::Exponential => {
                1_u32.checked_shl(retry).map_or(Duration::MAX, |factor| self.first.saturating_mul(factor))
            }
        }
    }
}

/// [`exponential`](Backoff::exponential) from 100 ms on.
impl Default for Backoff {
    fn default() -> Self {
        Self::exponential(Duration::from_millis(100))
    }
}

impl IntoIterator for Backoff {
    type Item = Duration;
    type IntoIter = Delays;

    fn into_iter(self) -> Delays {
        Delays { next: 0, last: self.first, backoff: self }
    }
}

/// The delays of a [`Backoff`].
#[derive(Clone, Debug)]
pub struct Delays {
    backoff: Backoff,
    next: u32,
    /// Where a walk goes on from.
    last: Duration,
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.nth(0)
    }

    /// Takes the same time for every `n`, and draws once; only a decorrelated walk takes each step.
    fn nth(&mut self, n: usize) -> Option<Duration> {
        let skipped = n.try_into().unwrap_or(u32::MAX);
        let retry = self.next.saturating_add(skipped);
        self.next = retry.saturating_add(1);
        if retry >= self.backoff.retries {
            return None;
        }
        self.last = self.backoff.delay(retry, skipped, self.last);
        Some(self.last)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.backoff.retries.saturating_sub(self.next) as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Delays {}

/// Uniform between nothing and `most`, by the nanosecond.
pub(crate) fn spread(random: &Random, most: Duration) -> Duration {
    Duration::from_nanos(random.below(most.as_nanos().try_into().unwrap_or(u64::MAX)))
}

pub(crate) fn entropy() -> u64 {
    RandomState::new().hash_one(())
}

/// After so many steps a walk no longer knows where it began.
const FORGOTTEN: u32 = 64;

#[cfg(test)]
mod tests;
