use std::{error::Error, fmt};

use trysail_core::{Class, Classified, Elapsed, OneLine, Remedy, Verdict};

use crate::transport;

/// Why there is no whole answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum CollectError<C, B> {
    /// The service below failed.
    Client(C),
    /// The body broke off.
    Body(B),
    /// The body is longer than the limit: fewer inputs have a shorter answer.
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
            Self::Body(error) => {
                let fault = if self.verdict().class() == Class::Malformed { "is damaged" } else { "broke off" };
                write!(f, "the body of the answer {fault}: {}", OneLine(error))
            }
            Self::TooLarge { limit } => write!(f, "the answer is larger than the limit of {}", Size(*limit)),
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
            Self::TooLarge { .. } => Some(&TOO_LARGE),
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
            Self::TooLarge { .. } => TOO_LARGE,
            Self::Idle(elapsed) => elapsed.verdict(),
        }
    }
}

/// A number of bytes, as a person writes it.
struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        match UNITS.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{} {name}", bytes / unit),
            None => write!(f, "{bytes} bytes"),
        }
    }
}

const UNITS: &[(usize, &str)] = &[(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
/// The limit is ours, so it says nothing about the server.
static TOO_LARGE: Verdict = Verdict::PERMANENT.neutral().advise(Remedy::Split);
