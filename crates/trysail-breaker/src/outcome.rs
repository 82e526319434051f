use std::time::Duration;

use trysail_core::{Cause, Class, Health, Verdict};

/// What an admitted call says about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure {
        class: Class,
        hint: Option<Duration>,
    },
    Throttled {
        hint: Option<Duration>,
    },
    Neutral,
    /// No answer, since the caller would not wait; but for long enough to wonder.
    Abandoned,
}

impl Outcome {
    pub(crate) fn of(verdict: Verdict) -> Self {
        let hint = verdict.retry_after();
        match (verdict.health(), verdict.class()) {
            (Health::Success, _) => Self::Success,
            (Health::Failure, class) => Self::Failure { class, hint },
            (Health::Neutral, Class::Throttled) => Self::Throttled { hint },
            (Health::Neutral, _) => Self::Neutral,
        }
    }
}

/// Why a circuit opens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) cause: Cause,
    /// What the failure was.
    pub(crate) class: Option<Class>,
    /// When the server asks to come back.
    pub(crate) hint: Option<Duration>,
}
