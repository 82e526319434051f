use std::{error::Error, fmt};

use trysail_core::{Classified, Elapsed, OneLine, Verdict};

use crate::transport;

/// Why there is no whole answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum CollectError<C, B> {
    /// The service below failed.
    Client(C),
    /// The body broke off.
    Body(B),
    /// The body is longer than the limit.
    #[non_exhaustive]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body fell silent.
    Idle(Elapsed),
}

impl<C, B> fmt::Display for CollectError<C, B>
where
    C: Error + 'static,
    B: Error + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => OneLine(error).fmt(f),
            Self::Body(error) => write!(f, "the body of the answer broke off: {}", OneLine(error)),
            Self::TooLarge { limit } => write!(f, "the body of the answer is longer than {limit} bytes"),
            Self::Idle(elapsed) => elapsed.fmt(f),
        }
    }
}

impl<C, B> Error for CollectError<C, B>
where
    C: Error + 'static,
    B: Error + 'static,
{
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Client(error) => Some(error),
            Self::Body(error) => Some(error),
            // Its judgement, so that it is found in a box.
            Self::TooLarge { .. } => Some(&Verdict::REFUSED),
            Self::Idle(elapsed) => Some(elapsed),
        }
    }
}

/// Judged by the types in it, as all errors of clients; once the head is in, the request has been sent.
impl<C, B> Classified for CollectError<C, B>
where
    C: Error + 'static,
    B: Error + 'static,
{
    fn verdict(&self) -> Verdict {
        match self {
            Self::Client(error) => transport::verdict(error),
            Self::Body(error) => transport::of_body(error),
            Self::TooLarge { .. } => Verdict::REFUSED,
            Self::Idle(elapsed) => elapsed.verdict(),
        }
    }
}
