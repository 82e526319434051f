use core::{error::Error, fmt, num::NonZeroU64, time::Duration};

use crate::{Class, Classified, Verdict};

/// A circuit was open, so nothing was sent.
///
/// Eight bytes, as every call may have to carry one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// The seconds and nanoseconds of the time, the class, and the cause; these are counted from one on, so that this is
    /// never zero.
    word: NonZeroU64,
}

/// Why a circuit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Too many failures in a row.
    Streak,
    /// Too large a share of failures.
    Rate,
    /// Too large a share of slow calls.
    Slow,
    /// A probe failed.
    Probe,
    /// Somebody opened it by hand.
    Forced,
}

impl Cause {
    /// All causes, each at its [`index`](Self::index).
    pub const ALL: [Self; 5] = [Self::Streak, Self::Rate, Self::Slow, Self::Probe, Self::Forced];

    /// Its place in [`ALL`](Self::ALL), for tables.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The cause in snake case, as logs and metrics spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Streak => "streak",
            Self::Rate => "rate",
            Self::Slow => "slow",
            Self::Probe => "probe",
            Self::Forced => "forced",
        }
    }
}

impl Open {
    /// A circuit that opened for `cause` and may be asked again after `retry_after`, four years and
    /// more are four years; `class` is what its last failure was.
    #[inline]
    pub const fn new(retry_after: Duration, cause: Cause, class: Option<Class>) -> Self {
        let (secs, nanos) = (retry_after.as_secs(), retry_after.subsec_nanos() as u64);
        let secs = if secs > MOST_SECS { MOST_SECS } else { secs };
        let class = match class {
            Some(class) => class.index() as u64 + 1,
            None => 0,
        };
        let word = secs << SECS_AT | nanos << NANOS_AT | class << CLASS_AT | (cause.index() as u64 + 1);
        Self { word: NonZeroU64::new(word).expect("a cause is counted from one on") }
    }

    /// When a call may get through again.
    #[inline]
    pub const fn retry_after(self) -> Duration {
        Duration::new(self.word.get() >> SECS_AT, (self.word.get() >> NANOS_AT & NANOS) as u32)
    }

    /// Why it opened.
    pub const fn cause(self) -> Cause {
        Cause::ALL[(self.word.get() & CAUSE) as usize - 1]
    }

    /// The class of the failure that opened it, unless it was opened by hand.
    pub const fn class(self) -> Option<Class> {
        match self.word.get() >> CLASS_AT & CLASS {
            0 => None,
            class => Some(Class::ALL[class as usize - 1]),
        }
    }
}

impl Classified for Open {
    fn verdict(&self) -> Verdict {
        Verdict::REFUSED.after(self.retry_after())
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("retry_after", &self.retry_after())
            .field("cause", &Self::cause(*self))
            .field("class", &self.class())
            .finish()
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = match Self::cause(*self) {
            Cause::Streak => "after failures in a row",
            Cause::Rate => "for its failure rate",
            Cause::Slow => "for its slow calls",
            Cause::Probe => "since a probe failed",
            Cause::Forced => "by hand",
        };
        write!(f, "the circuit is open {cause}")?;
        if let Some(class) = self.class() {
            write!(f, " (the last was {class})")?;
        }
        write!(f, ", so nothing was sent; next try in {:?}", self.retry_after())
    }
}

impl Error for Open {
    /// The verdict without its hint, for wrappers that lend the source of what they hold, and not that itself.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&Verdict::REFUSED)
    }
}

/// An error that a circuit breaker can return.
///
/// Implement `From<Open>` for your error instead.
#[diagnostic::on_unimplemented(
    message = "the error `{Self}` cannot say that a circuit is open",
    note = "put a `ClassifyLayer` below this layer, or implement `From<trysail_core::Open>` for `{Self}`",
    note = "`.map_err(tower::BoxError::from)` below makes room for it, too; in axum, whose error is `Infallible`, put a `HandleErrorLayer` above this layer as well"
)]
pub trait FromOpen {
    /// The error for `open`.
    fn from_open(open: Open) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Open>> FromOpen for E {
    fn from_open(open: Open) -> Self {
        open.into()
    }
}

const CAUSE: u64 = 7;
const CLASS_AT: u32 = 3;
const CLASS: u64 = 15;
const NANOS_AT: u32 = 7;
const NANOS: u64 = (1 << 30) - 1;
const SECS_AT: u32 = 37;
const MOST_SECS: u64 = u64::MAX >> SECS_AT;
const _: () = assert!(Cause::ALL.len() < CAUSE as usize && Class::ALL.len() <= CLASS as usize);
const _: () = assert!(size_of::<Option<Open>>() == 8);
