use std::time::Duration;

/// How long a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WindowLength {
    Time(Duration),
    Calls(u32),
}

/// What the buckets of a window hold.
#[derive(Clone, Copy)]
pub(super) enum BucketSize {
    /// So many milliseconds each.
    Time { width_ms: u64 },
    /// So many calls each, in so many buckets.
    Calls { width: u64, buckets: u64 },
}

impl WindowLength {
    /// How long the calls of a window are sure to span, if they come often enough: well inside of it, since a bucket
    /// leaves it whole, and calls come when they come.
    pub(crate) fn spans(self) -> Duration {
        match BucketSize::of(self) {
            BucketSize::Time { width_ms } => Duration::from_millis(width_ms * BUCKETS / 2),
            BucketSize::Calls { .. } => Duration::ZERO,
        }
    }

    /// How many calls are enough for a rate: as many as a full window of calls is sure to hold, and a number beyond
    /// which a rate is no more sure.
    pub(crate) fn holds(self) -> u32 {
        match self {
            Self::Time(_) => ENOUGH_CALLS,
            Self::Calls(calls) => {
                let calls = calls.clamp(1, MOST_CALLS);
                (calls.div_ceil(width(calls)) - 1) * width(calls) + 1
            }
        }
    }
}

impl BucketSize {
    pub(super) fn of(length: WindowLength) -> Self {
        match length {
            WindowLength::Time(length) => {
                let ms = length.as_millis().min(u128::from(u32::MAX)) as u64;
                Self::Time { width_ms: ms.div_ceil(BUCKETS).max(1) }
            }
            WindowLength::Calls(calls) => {
                let calls = calls.clamp(1, MOST_CALLS);
                Self::Calls { width: width(calls).into(), buckets: calls.div_ceil(width(calls)).into() }
            }
        }
    }

    pub(super) const fn pack(self) -> u64 {
        match self {
            Self::Time { width_ms } => width_ms,
            Self::Calls { width, buckets } => buckets << BUCKETS_AT | width,
        }
    }

    #[inline]
    pub(super) const fn unpack(word: u64) -> Self {
        match word >> BUCKETS_AT {
            0 => Self::Time { width_ms: word },
            buckets => Self::Calls { width: word & !(u64::MAX << BUCKETS_AT), buckets },
        }
    }
}

/// Of how many calls a bucket is, in a window of so many.
const fn width(calls: u32) -> u32 {
    calls.div_ceil(BUCKETS as u32)
}

pub(super) const BUCKETS: u64 = 10;
const BUCKETS_AT: u32 = 56;
const MOST_CALLS: u32 = 100_000;
const ENOUGH_CALLS: u32 = 8_191;
