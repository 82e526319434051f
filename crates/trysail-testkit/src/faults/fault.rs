use std::{fmt, time::Duration};

/// One way to fail a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// `500`, `502`, `503`, `504`, `529`, `408`: that status, with the body of a provider or a proxy.
    Status(u16),
    /// `429`: the rate limit, with `retry-after-ms`; 50 ms unless it says otherwise (`429=1500ms`).
    RateLimit(Duration),
    /// `429-bare`: the rate limit, without a hint.
    RateLimitBare,
    /// `quota`: 429, but the account is empty.
    Quota,
    /// `401`: the key is wrong; the answer repeats it.
    BadKey,
    /// `403`: not from this country.
    Forbidden,
    /// `400-too-long`: the input does not fit the model's context.
    TooLong,
    /// `404-model`: no such model.
    NoModel,
    /// `hang`: never an answer.
    Hang,
    /// `reset`: RST instead of an answer.
    Reset,
    /// `reset-body`: RST in the middle of the body.
    ResetBody,
    /// `stall`: the head and half of the body, then silence.
    Stall,
    /// `drip`: the right answer in 25 pieces, one every 20 ms unless it says otherwise (`drip=5ms`).
    Drip(Duration),
    /// `slow`: the right answer after 400 ms unless it says otherwise (`slow=2s`).
    Slow(Duration),
    /// `truncated`: half of the JSON, in whole and valid framing.
    Truncated,
    /// `cut`: FIN in the middle of the body, before its declared end.
    Cut,
    /// `wrong-count`: one embedding is missing.
    WrongCount,
    /// `duplicate`: the first embedding stands in the place of the last, too (beside it, if it is the only one).
    Duplicate,
    /// `nan`: one number is NaN (`null` in a list of numbers).
    Nan,
    /// `shuffled`: the right answer, its entries out of order but rightly numbered.
    Shuffled,
    /// `html`: a 200 with a web page.
    Html,
    /// `empty`: a 200 with an empty list.
    Empty,
}

impl Fault {
    /// Its name in a plan.
    pub fn name(self) -> &'static str {
        let known = |&&(_, fault): &&(_, Self)| fault.at(Duration::ZERO) == self.at(Duration::ZERO);
        KNOWN.iter().find(known).map_or("status", |&(name, _)| name)
    }

    /// The fault that a plan calls `name`.
    pub(super) fn named(name: &str) -> Option<Self> {
        KNOWN.iter().find(|&&(known, _)| known == name).map(|&(_, fault)| fault)
    }

    /// The duration that belongs to it.
    pub(super) fn duration(self) -> Option<Duration> {
        match self {
            Self::RateLimit(duration) | Self::Drip(duration) | Self::Slow(duration) => Some(duration),
            _ => None,
        }
    }

    /// The same fault with another duration, where it has one.
    pub(super) fn at(self, duration: Duration) -> Self {
        match self {
            Self::RateLimit(_) => Self::RateLimit(duration),
            Self::Drip(_) => Self::Drip(duration),
            Self::Slow(_) => Self::Slow(duration),
            other => other,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.duration() {
            Some(duration) if Self::named(self.name()) != Some(*self) => write!(f, "={duration:?}"),
            _ => Ok(()),
        }
    }
}

/// The faults by name, each with its usual duration.
pub(super) const KNOWN: &[(&str, Fault)] = &[
    ("500", Fault::Status(500)),
    ("502", Fault::Status(502)),
    ("503", Fault::Status(503)),
    ("504", Fault::Status(504)),
    ("529", Fault::Status(529)),
    ("408", Fault::Status(408)),
    ("429", Fault::RateLimit(Duration::from_millis(50))),
    ("429-bare", Fault::RateLimitBare),
    ("quota", Fault::Quota),
    ("401", Fault::BadKey),
    ("403", Fault::Forbidden),
    ("400-too-long", Fault::TooLong),
    ("404-model", Fault::NoModel),
    ("hang", Fault::Hang),
    ("reset", Fault::Reset),
    ("reset-body", Fault::ResetBody),
    ("stall", Fault::Stall),
    ("drip", Fault::Drip(Duration::from_millis(20))),
    ("slow", Fault::Slow(Duration::from_millis(400))),
    ("truncated", Fault::Truncated),
    ("cut", Fault::Cut),
    ("wrong-count", Fault::WrongCount),
    ("duplicate", Fault::Duplicate),
    ("nan", Fault::Nan),
    ("shuffled", Fault::Shuffled),
    ("html", Fault::Html),
    ("empty", Fault::Empty),
];
