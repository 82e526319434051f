use std::time::Duration;

use trysail_core::{Class, Health, Retryable, Verdict};

/// What the end of a call says to a throttle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Success,
    /// The server answered, and that says nothing about the pace.
    Answered,
    /// Too many; the server may say for how long.
    Throttled(Option<Duration>),
    /// The credential is no good, or the account is empty; a neutral verdict may mean the one request.
    Shut(Verdict),
    /// The server failed, or did not answer in time.
    Failed,
    /// Nothing: an answer that tells nothing.
    Silence,
    /// Nothing, since nobody waited for it.
    Abandoned,
    /// It was not sent.
    Unsent,
}

impl Heard {
    #[inline]
    pub(crate) fn of(verdict: Verdict) -> Self {
        match verdict.class() {
            Class::Success => Self::Success,
            Class::Throttled => Self::Throttled(verdict.retry_after()),
            Class::QuotaExhausted | Class::Auth if verdict.health() != Health::Neutral => Self::Shut(verdict),
            Class::Refused => Self::Unsent,
            _ if verdict.retry() == Retryable::Unsent => Self::Unsent,
            _ if verdict.health() == Health::Success => Self::Answered,
            Class::Transient => Self::Failed,
            _ => Self::Silence,
        }
    }

    /// Whether it was too much for the server.
    pub(crate) const fn is_loss(self) -> bool {
        matches!(self, Self::Failed | Self::Throttled(_))
    }

    /// Whether the server has worked on it.
    #[inline]
    pub(crate) const fn is_answered(self) -> bool {
        matches!(self, Self::Success | Self::Answered | Self::Shut(_))
    }
}
