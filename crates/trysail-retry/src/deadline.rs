use std::time::Duration;

use tokio::time::Instant;

/// When a call must be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// Nobody has asked yet.
    Unasked,
    Never,
    At(Instant),
}

impl Deadline {
    /// The end of `left`, which begins `now`; a time beyond the clock is none.
    pub(crate) fn after(left: Option<Duration>, now: impl FnOnce() -> Instant) -> Self {
        left.and_then(|left| now().checked_add(left)).map_or(Self::Never, Self::At)
    }

    /// How much time there is from `now` on; `None` if that has no end.
    pub(crate) fn left(self, now: Instant) -> Option<Duration> {
        match self {
            Self::At(then) => Some(then.saturating_duration_since(now)),
            Self::Unasked | Self::Never => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn deadlines_are_of_any_length() {
        for left in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1 << 32)] {
            let (now, deadline) = (Instant::now(), Deadline::after(Some(left), Instant::now));
            assert_eq!(deadline.left(now), Some(left));
            tokio::time::advance(Duration::from_secs(3)).await;
            assert_eq!(deadline.left(Instant::now()), Some(left.saturating_sub(Duration::from_secs(3))));
        }
        for left in [Some(Duration::MAX), None] {
            let deadline = Deadline::after(left, Instant::now);
            assert_eq!((deadline, deadline.left(Instant::now())), (Deadline::Never, None));
        }
    }
}
