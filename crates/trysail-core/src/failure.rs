use alloc::boxed::Box;
use core::{any::type_name, error::Error, fmt};

use crate::{Classified, Elapsed, Held, OneLine, Open, Unanswered, Verdict};

/// Why a call failed: the error type of a classified service.
///
/// `{}` says what happened in one line, its causes included. `Debug` names the type and the status of an answer, and
/// neither prints it: answers echo inputs and keys. As an [`Error`] it has its judgement for its source, and that has
/// the cause.
#[non_exhaustive]
pub enum Failure<Res, E> {
    /// A time limit struck.
    Elapsed(Elapsed),
    /// A circuit was open, so nothing was sent.
    Open(Open),
    /// A throttle held it back, so nothing was sent.
    Held(Held),
    /// The service answered, and the answer is no success.
    Response {
        /// What was made of it.
        verdict: Verdict,
        /// The number by which it says how it went, if the judge knows one.
        status: Option<u16>,
        /// The answer as it came.
        response: Res,
    },
    /// The service failed without an answer.
    Service(Unanswered<E>),
}

impl<Res, E> Failure<Res, E> {
    /// The service failed with `error`, which was judged to be `verdict`.
    pub fn unanswered(verdict: Verdict, error: E) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::Service(Unanswered::new(verdict, error))
    }

    /// An outcome as it would have been without a judge below: every answer is `Ok`.
    ///
    /// Above a stack, `map_result(Failure::or_response)` hands on what the last try was answered.
    ///
    /// # Errors
    ///
    /// The failure itself where nothing was answered.
    pub fn or_response(outcome: Result<Res, Self>) -> Result<Res, Self> {
        outcome.or_else(Self::into_response)
    }

    /// The answer as it came, if there is one.
    ///
    /// # Errors
    ///
    /// The failure itself where nothing was answered.
    pub fn into_response(self) -> Result<Res, Self> {
        match self {
            Self::Response { response, .. } => Ok(response),
            other => Err(other),
        }
    }

    /// The number by which the answer says how it went: its HTTP status.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Response { status, .. } => *status,
            _ => None,
        }
    }
}

impl<Res, E> Classified for Failure<Res, E> {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Elapsed(elapsed) => elapsed.verdict(),
            Self::Open(open) => open.verdict(),
            Self::Held(held) => held.verdict(),
            Self::Response { verdict, .. } => *verdict,
            Self::Service(unanswered) => unanswered.verdict(),
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

impl<Res, E> From<Held> for Failure<Res, E> {
    fn from(held: Held) -> Self {
        Self::Held(held)
    }
}

impl<Res, E> fmt::Debug for Failure<Res, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elapsed(elapsed) => f.debug_tuple("Elapsed").field(elapsed).finish(),
            Self::Open(open) => f.debug_tuple("Open").field(open).finish(),
            Self::Held(held) => f.debug_tuple("Held").field(held).finish(),
            Self::Response { verdict, status, .. } => f
                .debug_struct("Response")
                .field("verdict", verdict)
                .field("status", status)
                .field("response", &format_args!("{}", type_name::<Res>()))
                .finish(),
            Self::Service(unanswered) => f.debug_tuple("Service").field(unanswered).finish(),
        }
    }
}

impl<Res, E> fmt::Display for Failure<Res, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elapsed(elapsed) => elapsed.fmt(f),
            Self::Open(open) => open.fmt(f),
            Self::Held(held) => held.fmt(f),
            Self::Response { status: Some(status), .. } => write!(f, "the server answered {status}"),
            Self::Response { verdict, .. } => write!(f, "the server's answer was judged {}", verdict.class()),
            Self::Service(unanswered) => write!(f, "the call failed: {}", OneLine(unanswered.cause())),
        }
    }
}

impl<Res, E> Error for Failure<Res, E> {
    /// A fact or a judgement, each of a concrete type, so that [`Verdict::find`] finds it in a box.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Elapsed(elapsed) => elapsed,
            Self::Open(open) => open,
            Self::Held(held) => held,
            Self::Response { verdict, .. } => verdict,
            Self::Service(unanswered) => &**unanswered,
        })
    }
}
