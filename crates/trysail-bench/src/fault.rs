use std::{error::Error, fmt, time::Duration};

use async_openai::error::OpenAIError;
use tower::BoxError;
use tower_resilience::{circuitbreaker::CircuitBreakerError, timelimiter::TimeLimiterError};
use trysail::{Classified, Elapsed, Held, Open, Verdict};

/// The error of an application: it keeps what each layer says, ours and those of others.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The server has answered with this status.
    Status(u16),
    Elapsed(Elapsed),
    Open(Open),
    Held(Held),
    /// A breaker that says no more.
    Rejected,
    /// A limit that says no more.
    TimedOut,
    Other(BoxError),
}

impl Fault {
    /// When to come back, where that is known.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Open(open) => Some(open.retry_after()),
            Self::Held(held) => Some(held.retry_after()),
            _ => None,
        }
    }
}

impl Classified for Fault {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Status(_) | Self::Other(_) => Verdict::TRANSIENT,
            Self::Elapsed(elapsed) => elapsed.verdict(),
            Self::Open(open) => open.verdict(),
            Self::Held(held) => held.verdict(),
            Self::Rejected | Self::TimedOut => Verdict::REFUSED,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the server has answered {status}"),
            Self::Elapsed(elapsed) => elapsed.fmt(f),
            Self::Open(open) => open.fmt(f),
            Self::Held(held) => held.fmt(f),
            Self::Rejected => f.write_str("the breaker is open"),
            Self::TimedOut => f.write_str("it has taken too long"),
            Self::Other(_) => f.write_str("the call has failed"),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Other(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<Elapsed> for Fault {
    fn from(elapsed: Elapsed) -> Self {
        Self::Elapsed(elapsed)
    }
}

impl From<Open> for Fault {
    fn from(open: Open) -> Self {
        Self::Open(open)
    }
}

impl From<Held> for Fault {
    fn from(held: Held) -> Self {
        Self::Held(held)
    }
}

impl From<BoxError> for Fault {
    fn from(error: BoxError) -> Self {
        Self::Other(error)
    }
}

impl From<OpenAIError> for Fault {
    fn from(error: OpenAIError) -> Self {
        Self::Other(error.into())
    }
}

impl<E: Into<Self>> From<recloser::Error<E>> for Fault {
    fn from(error: recloser::Error<E>) -> Self {
        match error {
            recloser::Error::Inner(error) => error.into(),
            recloser::Error::Rejected => Self::Rejected,
        }
    }
}

impl<E: Into<Self>> From<failsafe::Error<E>> for Fault {
    fn from(error: failsafe::Error<E>) -> Self {
        match error {
            failsafe::Error::Inner(error) => error.into(),
            failsafe::Error::Rejected => Self::Rejected,
        }
    }
}

impl<E: Into<Self>> From<CircuitBreakerError<E>> for Fault {
    fn from(error: CircuitBreakerError<E>) -> Self {
        match error {
            CircuitBreakerError::Inner(error) => error.into(),
            CircuitBreakerError::OpenCircuit => Self::Rejected,
        }
    }
}

impl<E: Into<Self>> From<TimeLimiterError<E>> for Fault {
    fn from(error: TimeLimiterError<E>) -> Self {
        match error {
            TimeLimiterError::Inner(error) => error.into(),
            TimeLimiterError::Timeout => Self::TimedOut,
        }
    }
}
