use core::{error::Error, fmt, num::NonZeroU32, time::Duration};

use crate::Class;

/// The one judgement of an attempt: eight bytes that every layer reads.
///
/// Start from a constant and adjust an axis:
///
/// ```
/// # use core::time::Duration;
/// # use trysail_core::{Health, Verdict};
/// let overloaded = Verdict::TRANSIENT.after(Duration::from_secs(2)).neutral();
/// assert_eq!(overloaded.health(), Health::Neutral);
/// ```
///
/// As an [`Error`] it stands for an answer that was judged a failure, in the chain of a
/// [`Failure`](crate::Failure); [`find`](Self::find) finds it there once that has been boxed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Verdict {
    class: Class,
    axes: Axes,
    remedy: Option<Remedy>,
    window: Option<Window>,
    after: Option<NonZeroU32>,
}

/// Two axes in one byte, so that a verdict is eight.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Axes(u8);

/// Whether the same request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retryable {
    /// It would fail the same way.
    No,
    /// It may succeed.
    Yes,
    /// It never reached the server: sending it is not a repetition.
    Unsent,
}

/// What the outcome says about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// It works, even if it said no.
    Success,
    /// It does not work.
    Failure,
    /// Nothing.
    Neutral,
}

/// What the caller can do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// Send fewer inputs at once.
    Split,
    /// Send a shorter input.
    Truncate,
    /// Get a new credential.
    Reauth,
    /// Settle the account.
    Pay,
}

/// Over what time a limit of requests or tokens is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Window {
    /// Per second.
    Second,
    /// Per minute.
    Minute,
    /// Per hour.
    Hour,
    /// Per day.
    Day,
}

impl Verdict {
    /// A usable answer.
    pub const SUCCESS: Self = Self::new(Class::Success, Retryable::No, Health::Success);
    /// The server failed; ask again.
    pub const TRANSIENT: Self = Self::new(Class::Transient, Retryable::Yes, Health::Failure);
    /// This caller is too fast; ask again later. It says nothing about the server.
    pub const THROTTLED: Self = Self::new(Class::Throttled, Retryable::Yes, Health::Neutral);
    /// The account is empty.
    pub const QUOTA_EXHAUSTED: Self = Self::new(Class::QuotaExhausted, Retryable::No, Health::Success);
    /// The credential is no good.
    pub const AUTH: Self = Self::new(Class::Auth, Retryable::No, Health::Success);
    /// The request is no good.
    pub const PERMANENT: Self = Self::new(Class::Permanent, Retryable::No, Health::Success);
    /// The answer is no good.
    pub const MALFORMED: Self = Self::new(Class::Malformed, Retryable::Yes, Health::Failure);
    /// The server is not ready yet.
    pub const WARMING: Self = Self::new(Class::Warming, Retryable::Yes, Health::Neutral);
    /// One of our own layers said no.
    pub const REFUSED: Self = Self::new(Class::Refused, Retryable::No, Health::Neutral);

    const fn new(class: Class, retry: Retryable, health: Health) -> Self {
        Self { class, axes: Axes::new(retry, health), remedy: None, window: None, after: None }
    }

    /// With the time the server asks the caller to wait, in whole milliseconds, rounded up.
    ///
    /// Zero is no hint; anything over 49 days is 49 days.
    pub const fn after(self, hint: Duration) -> Self {
        let ms = hint.as_nanos().div_ceil(1_000_000);
        let ms = if ms > u32::MAX as u128 { u32::MAX } else { ms as u32 };
        Self { after: NonZeroU32::new(ms), ..self }
    }

    /// Not to be asked again.
    pub const fn once(self) -> Self {
        Self { axes: Axes::new(Retryable::No, self.health()), ..self }
    }

    /// Worth asking again.
    pub const fn again(self) -> Self {
        Self { axes: Axes::new(Retryable::Yes, self.health()), ..self }
    }

    /// Never sent: may be sent once more at no charge, and says nothing about the server.
    pub const fn unsent(self) -> Self {
        Self { axes: Axes::new(Retryable::Unsent, Health::Neutral), ..self }
    }

    /// Says nothing about the server's health.
    pub const fn neutral(self) -> Self {
        Self { axes: Axes::new(self.retry(), Health::Neutral), ..self }
    }

    /// Counts as a failure of the server.
    pub const fn unhealthy(self) -> Self {
        Self { axes: Axes::new(self.retry(), Health::Failure), ..self }
    }

    /// Counts as a sign of life.
    pub const fn healthy(self) -> Self {
        Self { axes: Axes::new(self.retry(), Health::Success), ..self }
    }

    /// With advice for the caller.
    pub const fn advise(self, remedy: Remedy) -> Self {
        Self { remedy: Some(remedy), ..self }
    }

    /// Over a limit that is counted over `window`.
    pub const fn per(self, window: Window) -> Self {
        Self { window: Some(window), ..self }
    }

    /// What it is called.
    #[inline]
    pub const fn class(self) -> Class {
        self.class
    }

    /// Whether the request may be sent again.
    pub const fn retry(self) -> Retryable {
        self.axes.retry()
    }

    /// What it says about the server.
    pub const fn health(self) -> Health {
        self.axes.health()
    }

    /// What the caller can do.
    pub const fn remedy(self) -> Option<Remedy> {
        self.remedy
    }

    /// Over what time the limit is counted that the caller went over, if the server has said so.
    pub const fn window(self) -> Option<Window> {
        self.window
    }

    /// How long the server asks the caller to wait.
    pub const fn retry_after(self) -> Option<Duration> {
        match self.after {
            Some(ms) => Some(Duration::from_millis(ms.get() as u64)),
            None => None,
        }
    }
}

impl Window {
    /// How long it is.
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        })
    }
}

impl Axes {
    const fn new(retry: Retryable, health: Health) -> Self {
        Self((retry as u8) << 4 | health as u8)
    }

    const fn retry(self) -> Retryable {
        match self.0 >> 4 {
            0 => Retryable::No,
            1 => Retryable::Yes,
            _ => Retryable::Unsent,
        }
    }

    const fn health(self) -> Health {
        match self.0 & 15 {
            0 => Health::Success,
            1 => Health::Failure,
            _ => Health::Neutral,
        }
    }
}

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdict")
            .field("class", &self.class)
            .field("retry", &self.retry())
            .field("health", &self.health())
            .field("remedy", &self.remedy)
            .field("window", &self.window)
            .field("retry_after", &self.retry_after())
            .finish()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.class, f)?;
        match self.retry_after() {
            Some(hint) => write!(f, ", retry after {hint:?}"),
            None => Ok(()),
        }
    }
}

impl Error for Verdict {}

const _: () = assert!(size_of::<Verdict>() == 8);
