use core::{error::Error, fmt, time::Duration};

use crate::{Class, Classified, Verdict};

/// A circuit was open, so nothing was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Open {
    // A `Duration` taken apart: with its padding, this would be half as large again.
    secs: u64,
    nanos: u32,
    cause: Cause,
    class: Option<Class>,
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
    /// A circuit that opened for `cause` and may be asked again after `retry_after`; `class` is what its last
    /// failure was.
    #[inline]
    pub const fn new(retry_after: Duration, cause: Cause, class: Option<Class>) -> Self {
        Self { secs: retry_after.as_secs(), nanos: retry_after.subsec_nanos(), cause, class }
    }

    /// When a call may get through again.
    #[inline]
    pub const fn retry_after(self) -> Duration {
        Duration::new(self.secs, self.nanos)
    }

    /// Why it opened.
    pub const fn cause(self) -> Cause {
        self.cause
    }

    /// The class of the failure that opened it, unless it was opened by hand.
    pub const fn class(self) -> Option<Class> {
        self.class
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
            .field("cause", &self.cause)
            .field("class", &self.class)
            .finish()
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = match self.cause {
            Cause::Streak => "after failures in a row",
            Cause::Rate => "for its failure rate",
            Cause::Slow => "for its slow calls",
            Cause::Probe => "since a probe failed",
            Cause::Forced => "by hand",
        };
        write!(f, "the circuit is open {cause}")?;
        if let Some(class) = self.class {
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
