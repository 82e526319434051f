use core::fmt;

/// What an outcome means, in the words people read.
///
/// Layers decide by the axes of a [`Verdict`](crate::Verdict); the class is its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// A usable answer.
    Success,
    /// The server, or something on the way, failed or is overloaded: asking again may help.
    Transient,
    /// A rate limit: this caller went over one that refills within minutes.
    Throttled,
    /// Money, credits, or an allowance of hours or days is used up.
    QuotaExhausted,
    /// The credential is missing, wrong, expired or not entitled.
    Auth,
    /// The request can never work as it is.
    Permanent,
    /// The server said success, but its answer is not one.
    Malformed,
    /// The server is loading its model.
    Warming,
    /// Answered by one of our own layers, without the server having had its say.
    Refused,
}

impl Class {
    /// All classes, each at its [`index`](Self::index).
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::Transient,
        Self::Throttled,
        Self::QuotaExhausted,
        Self::Auth,
        Self::Permanent,
        Self::Malformed,
        Self::Warming,
        Self::Refused,
    ];

    /// Its place in [`ALL`](Self::ALL), for tables.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The class in snake case, as logs, metrics and files spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Auth => "auth",
            Self::Permanent => "permanent",
            Self::Malformed => "malformed",
            Self::Warming => "warming",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
