use core::{error::Error, fmt, time::Duration};

use crate::{Class, Classified, Verdict};

/// A call was held back by a throttle, so nothing was sent.
///
/// Its verdict is refused, and neutral. Where the server has said of other calls that the credential is no good or the
/// account is empty, it is that verdict, and neutral as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    verdict: Verdict,
    hold: Hold,
}

/// What holds a call back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hold {
    /// A rate of requests or of their cost: its turn would come too late.
    Rate,
    /// The server has asked all callers to wait.
    Pause,
    /// Too many calls wait already.
    Queue,
    /// As many calls as may be are in flight.
    InFlight,
    /// The server has refused the credential, or said that the account is empty.
    Latch,
}

impl Hold {
    /// All of them, each at its [`index`](Self::index).
    pub const ALL: [Self; 5] = [Self::Rate, Self::Pause, Self::Queue, Self::InFlight, Self::Latch];

    /// Its place in [`ALL`](Self::ALL), for tables.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The same in snake case, as logs and metrics spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Pause => "pause",
            Self::Queue => "queue",
            Self::InFlight => "in_flight",
            Self::Latch => "latch",
        }
    }
}

impl Held {
    /// Held back by `hold`, and worth another try after `retry_after`, which counts in whole milliseconds.
    pub const fn new(hold: Hold, retry_after: Duration) -> Self {
        Self { verdict: Verdict::REFUSED.after(retry_after), hold }
    }

    /// Held back since the server has given other calls `verdict`.
    pub const fn latched(verdict: Verdict, retry_after: Duration) -> Self {
        Self { verdict: verdict.neutral().after(retry_after), hold: Hold::Latch }
    }

    /// When a call may get through again.
    pub const fn retry_after(self) -> Duration {
        match self.verdict.retry_after() {
            Some(time) => time,
            None => Duration::ZERO,
        }
    }

    /// What held it back.
    pub const fn hold(self) -> Hold {
        self.hold
    }
}

impl Classified for Held {
    fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.hold {
            Hold::Rate => "its turn under the rate limit comes too late",
            Hold::Pause => "the server has asked all calls to wait",
            Hold::Queue => "too many calls wait for their turn",
            Hold::InFlight => "too many calls are in flight",
            Hold::Latch if self.verdict.class() == Class::Auth => {
                "the server has refused the credential of other calls"
            }
            Hold::Latch => "the server has told other calls that the quota is used up",
        })?;
        write!(f, ", so nothing was sent; next try in {:?}", self.retry_after())
    }
}

impl Error for Held {
    /// The verdict, for wrappers that lend the source of what they hold, and not that itself.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.verdict)
    }
}

/// An error that a throttle can return.
///
/// Implement `From<Held>` for your error instead.
#[diagnostic::on_unimplemented(
    message = "the error `{Self}` cannot say that a call was held back",
    note = "put a `ClassifyLayer` below this layer, or implement `From<trysail_core::Held>` for `{Self}`",
    note = "`.map_err(tower::BoxError::from)` below makes room for it, too; in axum, whose error is `Infallible`, put a `HandleErrorLayer` above this layer as well"
)]
pub trait FromHeld {
    /// The error for `held`.
    fn from_held(held: Held) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Held>> FromHeld for E {
    fn from_held(held: Held) -> Self {
        held.into()
    }
}
