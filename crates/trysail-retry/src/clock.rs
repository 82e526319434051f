use std::{num::NonZeroU64, sync::OnceLock, time::Duration};

use tokio::time::Instant;

/// A clock that calls share, so that a time takes eight bytes of each. It begins when it is first asked.
#[derive(Debug, Default)]
pub(crate) struct Clock(OnceLock<Instant>);

/// When a call must be over, in nanoseconds of its [`Clock`]; never zero, so that an `Option` of what holds one is no
/// larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallDeadline(NonZeroU64);

impl CallDeadline {
    /// Nobody has asked yet.
    pub(crate) const UNASKED: Self = Self(NonZeroU64::MIN);
    /// There is none.
    pub(crate) const NEVER: Self = Self(NonZeroU64::MAX);
}

/// Stands for the clock's beginning, after the words that have a meaning of their own.
const FIRST: u64 = 2;

impl Clock {
    /// The end of `left`, which begins `now`; centuries have no end.
    pub(crate) fn deadline(&self, left: Duration, now: Instant) -> CallDeadline {
        let then = now.saturating_duration_since(self.beginning(now)).saturating_add(left);
        let nanos = u64::try_from(then.as_nanos() + u128::from(FIRST)).ok().and_then(NonZeroU64::new);
        nanos.map_or(CallDeadline::NEVER, CallDeadline)
    }

    /// How much time there is from `now` on; `None` if that has no end.
    pub(crate) fn left(&self, deadline: CallDeadline, now: Instant) -> Option<Duration> {
        if deadline == CallDeadline::NEVER {
            return None;
        }
        let then = Duration::from_nanos(deadline.0.get().saturating_sub(FIRST));
        Some(then.saturating_sub(now.saturating_duration_since(self.beginning(now))))
    }

    fn beginning(&self, now: Instant) -> Instant {
        *self.0.get_or_init(|| now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn deadlines_are_of_any_length() {
        let clock = Clock::default();
        for left in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1 << 32)] {
            let (now, deadline) = (Instant::now(), clock.deadline(left, Instant::now()));
            assert_eq!(clock.left(deadline, now), Some(left));
            tokio::time::advance(Duration::from_secs(3)).await;
            assert_eq!(clock.left(deadline, Instant::now()), Some(left.saturating_sub(Duration::from_secs(3))));
            assert_ne!(deadline, CallDeadline::UNASKED);
        }
        assert_eq!(clock.deadline(Duration::MAX, Instant::now()), CallDeadline::NEVER);
        assert_eq!(clock.left(CallDeadline::NEVER, Instant::now()), None);
    }
}
