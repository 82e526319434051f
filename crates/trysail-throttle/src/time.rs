use std::time::Duration;

/// As the decisions count time: from the beginning of the pace's clock. Centuries have no end.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// From `now` until `then`.
pub(crate) const fn between(now: u64, then: u64) -> Duration {
    Duration::from_nanos(then.saturating_sub(now))
}

pub(crate) fn signed(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}
