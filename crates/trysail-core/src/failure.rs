use core::{any::type_name, error::Error, fmt, time::Duration};

use crate::{Class, Classified, Verdict};

/// Why a call failed: the error type of a classified service.
///
/// `Debug` names the type of an answer but never prints it: answers echo inputs and keys.
#[non_exhaustive]
pub enum Failure<Res, E> {
    /// A time limit struck.
    Elapsed(Elapsed),
    /// A circuit was open, so nothing was sent.
    Open(Open),
    /// The service answered, and the answer is no success.
    Response {
        /// What was made of it.
        verdict: Verdict,
        /// The answer as it came.
        response: Res,
    },
    /// The service failed without an answer.
    Service {
        /// What was made of it.
        verdict: Verdict,
        /// The error as it came.
        error: E,
    },
}

impl<Res, E> Classified for Failure<Res, E> {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Elapsed(elapsed) => elapsed.verdict(),
            Self::Open(open) => open.verdict(),
            Self::Response { verdict, .. } | Self::Service { verdict, .. } => *verdict,
        }
    }
}

impl<Res, E> From<Elapsed> for Failure<Res, E> {
    fn from(elapsed: Elapsed) -> Self {
        Self::Elapsed(elapsed)
    }
}

impl<Res, E> From<Open> for Failure<Res, E> {
    fn from(open: Open) -> Self {
        Self::Open(open)
    }
}

impl<Res, E: fmt::Debug> fmt::Debug for Failure<Res, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elapsed(elapsed) => f.debug_tuple("Elapsed").field(elapsed).finish(),
            Self::Open(open) => f.debug_tuple("Open").field(open).finish(),
            Self::Response { verdict, .. } => f
                .debug_struct("Response")
                .field("verdict", verdict)
                .field("response", &format_args!("{}", type_name::<Res>()))
                .finish(),
            Self::Service { verdict, error } => {
                f.debug_struct("Service").field("verdict", verdict).field("error", error).finish()
            }
        }
    }
}

impl<Res, E> fmt::Display for Failure<Res, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elapsed(_) => f.write_str("a time limit struck"),
            Self::Open(_) => f.write_str("the call was refused"),
            Self::Response { .. } => f.write_str("the server's answer is no success"),
            Self::Service { .. } => f.write_str("the call failed without an answer"),
        }
    }
}

impl<Res, E> Error for Failure<Res, E>
where
    E: Error + 'static,
{
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // The facts themselves, so that `Classified` finds them in a box.
            Self::Elapsed(elapsed) => Some(elapsed),
            Self::Open(open) => Some(open),
            Self::Response { verdict, .. } => Some(verdict),
            Self::Service { error, .. } => Some(error),
        }
    }
}

/// A time limit struck.
///
/// Its verdict is transient, and a failure of the server; it is refused, and neutral, where the server had no fair
/// chance: the request's own time was up, or nothing was sent at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    limit: Duration,
    scope: Scope,
    sent: bool,
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
    /// A limit of `scope` that struck after `limit`.
    pub const fn new(scope: Scope, limit: Duration) -> Self {
        Self { limit, scope, sent: true }
    }

    /// Struck before anything was sent.
    pub const fn unsent(self) -> Self {
        Self { sent: false, ..self }
    }

    /// How long the limit was.
    pub const fn limit(self) -> Duration {
        self.limit
    }

    /// Which limit it was.
    pub const fn scope(self) -> Scope {
        self.scope
    }

    /// How far the call had come.
    pub const fn phase(self) -> Phase {
        match (self.scope, self.sent) {
            (Scope::Ready, _) => Phase::Ready,
            (_, false) => Phase::Refused,
            (Scope::Connect, _) => Phase::Connect,
            (Scope::Idle, _) => Phase::Body,
            _ => Phase::Answer,
        }
    }
}

impl Classified for Elapsed {
    fn verdict(&self) -> Verdict {
        if self.sent && self.scope != Scope::Request { Verdict::TRANSIENT } else { Verdict::REFUSED }
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limit;
        if !self.sent {
            return match self.scope {
                Scope::Request => f.write_str("the request arrived with no time left, so nothing was sent"),
                Scope::Ready => write!(f, "the service was not ready within {limit:?}, so nothing was sent"),
                scope => write!(f, "the {scope} limit of {limit:?} leaves no time, so nothing was sent"),
            };
        }
        match self.scope {
            Scope::Connect => write!(f, "no connection within the connect limit of {limit:?}"),
            Scope::Idle => write!(f, "the body fell silent for the idle limit of {limit:?}"),
            Scope::Request => write!(f, "no answer within the {limit:?} that the request had left"),
            scope => write!(f, "no answer within the {scope} limit of {limit:?}"),
        }
    }
}

impl Error for Elapsed {}

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

/// A circuit was open, so nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    retry_after: Duration,
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
    pub const fn new(retry_after: Duration, cause: Cause, class: Option<Class>) -> Self {
        Self { retry_after, cause, class }
    }

    /// When a call may get through again.
    pub const fn retry_after(self) -> Duration {
        self.retry_after
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
        Verdict::REFUSED.after(self.retry_after)
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
        write!(f, ", so nothing was sent; next try in {:?}", self.retry_after)
    }
}

impl Error for Open {}

/// An error that a layer with a time limit can return.
///
/// Implement `From<Elapsed>` for your error instead.
#[diagnostic::on_unimplemented(
    message = "the error `{Self}` cannot say that a time limit struck",
    note = "put a `ClassifyLayer` below this layer, or implement `From<trysail_core::Elapsed>` for `{Self}`"
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

/// An error that a circuit breaker can return.
///
/// Implement `From<Open>` for your error instead.
#[diagnostic::on_unimplemented(
    message = "the error `{Self}` cannot say that a circuit is open",
    note = "put a `ClassifyLayer` below this layer, or implement `From<trysail_core::Open>` for `{Self}`"
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
