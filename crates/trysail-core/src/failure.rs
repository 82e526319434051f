use core::{any::type_name, error::Error, fmt};

use crate::{Classified, Elapsed, Open, Verdict};

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
