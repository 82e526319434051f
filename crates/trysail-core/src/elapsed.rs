use core::{error::Error, fmt, time::Duration};

use crate::{Classified, Verdict};

/// A time limit struck.
///
/// Its verdict is transient, and a failure of the server; it is refused, and neutral, where the server had no fair
/// chance: the request's own time was up, or nothing was sent at all.
///
/// Eight bytes, since every call with a limit keeps one at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Elapsed {
    /// The seconds and nanoseconds of the limit, whether anything was sent, and the scope.
    word: u64,
}

/// Which limit struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// The limit of a call, not named any further.
    Call,
    /// How long a service may take to be ready for a call.
    Ready,
    /// From the name look-up to the end of the handshake.
    Connect,
    /// One attempt: request sent to body complete.
    Attempt,
    /// Silence inside a body.
    Idle,
    /// Everything, waits and later attempts included.
    Overall,
    /// The time that the request had left by itself.
    Request,
}

/// How far a call had come when a limit struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Nothing was done for it: there was no time left.
    Refused,
    /// It waited for the service to be ready; nothing was sent.
    Ready,
    /// It was connecting.
    Connect,
    /// It was made, and waited for the answer or the rest of it.
    Answer,
    /// Its answer had begun.
    Body,
}

impl Elapsed {
    /// A limit of `scope` that struck after `limit`; seventeen years and more are seventeen years.
    #[inline]
    pub const fn new(scope: Scope, limit: Duration) -> Self {
        let (secs, nanos) = (limit.as_secs(), limit.subsec_nanos() as u64);
        let secs = if secs > MOST_SECS { MOST_SECS } else { secs };
        Self { word: secs << SECS_AT | nanos << NANOS_AT | SENT | scope as u64 }
    }

    /// Struck before anything was sent.
    #[inline]
    pub const fn unsent(self) -> Self {
        Self { word: self.word & !SENT }
    }

    /// How long the limit was.
    #[inline]
    pub const fn limit(self) -> Duration {
        Duration::new(self.word >> SECS_AT, (self.word >> NANOS_AT & NANOS) as u32)
    }

    /// Which limit it was.
    pub const fn scope(self) -> Scope {
        SCOPES[(self.word & SCOPE) as usize]
    }

    /// How far the call had come.
    pub const fn phase(self) -> Phase {
        match (self.scope(), self.was_sent()) {
            (Scope::Ready, _) => Phase::Ready,
            (_, false) => Phase::Refused,
            (Scope::Connect, _) => Phase::Connect,
            (Scope::Idle, _) => Phase::Body,
            _ => Phase::Answer,
        }
    }

    const fn judged(self) -> &'static Verdict {
        match self.scope() {
            Scope::Request => &Verdict::REFUSED,
            _ if !self.was_sent() => &Verdict::REFUSED,
            _ => &Verdict::TRANSIENT,
        }
    }

    const fn was_sent(self) -> bool {
        self.word & SENT != 0
    }
}

impl fmt::Debug for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elapsed")
            .field("limit", &self.limit())
            .field("scope", &self.scope())
            .field("sent", &self.was_sent())
            .finish()
    }
}

impl Classified for Elapsed {
    fn verdict(&self) -> Verdict {
        *self.judged()
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limit();
        if !self.was_sent() {
            return match self.scope() {
                Scope::Request => f.write_str("the request arrived with no time left, so nothing was sent"),
                Scope::Ready => write!(f, "the service was not ready within {limit:?}, so nothing was sent"),
                scope => write!(f, "the {scope} limit of {limit:?} leaves no time, so nothing was sent"),
            };
        }
        match self.scope() {
            Scope::Connect => write!(f, "no connection within the connect limit of {limit:?}"),
            Scope::Idle => write!(f, "the body fell silent for the idle limit of {limit:?}"),
            Scope::Request => write!(f, "no answer within the {limit:?} that the request had left"),
            scope => write!(f, "no answer within the {scope} limit of {limit:?}"),
        }
    }
}

impl Error for Elapsed {
    /// The verdict, for wrappers that lend the source of what they hold, and not that itself, as `io::Error` does.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.judged())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Call => "call",
            Self::Ready => "readiness",
            Self::Connect => "connect",
            Self::Attempt => "attempt",
            Self::Idle => "idle",
            Self::Overall => "overall",
            Self::Request => "request",
        })
    }
}

/// An error that a layer with a time limit can return.
///
/// Implement `From<Elapsed>` for your error instead.
#[diagnostic::on_unimplemented(
    message = "the error `{Self}` cannot say that a time limit struck",
    note = "put a `ClassifyLayer` below this layer, or implement `From<trysail_core::Elapsed>` for `{Self}`",
    note = "`.map_err(tower::BoxError::from)` below makes room for it, too; in axum, whose error is `Infallible`, put a `HandleErrorLayer` above this layer as well"
)]
pub trait FromElapsed {
    /// The error for `elapsed`.
    fn from_elapsed(elapsed: Elapsed) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Elapsed>> FromElapsed for E {
    fn from_elapsed(elapsed: Elapsed) -> Self {
        elapsed.into()
    }
}

/// Each scope at its place in the word of an [`Elapsed`].
const SCOPES: [Scope; 7] =
    [Scope::Call, Scope::Ready, Scope::Connect, Scope::Attempt, Scope::Idle, Scope::Overall, Scope::Request];
const SCOPE: u64 = 15;
const SENT: u64 = 16;
const NANOS_AT: u32 = 5;
const NANOS: u64 = (1 << 30) - 1;
const SECS_AT: u32 = 35;
const MOST_SECS: u64 = u64::MAX >> SECS_AT;
