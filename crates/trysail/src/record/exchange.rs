use std::{error::Error, fmt, str::FromStr, sync::Arc, time::Duration};

use trysail_core::Class;

/// One call or one attempt, and what came of it.
///
/// As text it is a line of six fields between tabs: seconds since the recorder was made, `call` or `attempt`, the key, the
/// class or `dropped`, seconds until the outcome, and what the server asked for or `-`.
///
/// ```
/// # use std::time::Duration;
/// # use trysail::record::Exchange;
/// let exchange: Exchange = "1.500000\tattempt\tm\tthrottled\t0.020000\t2.000000".parse()?;
/// assert_eq!(exchange.retry_after(), Some(Duration::from_secs(2)));
/// assert_eq!(exchange.to_string().parse(), Ok(exchange));
/// # Ok::<_, trysail::record::ParseExchangeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub(super) at: Duration,
    pub(super) stage: Stage,
    pub(super) key: Arc<str>,
    pub(super) class: Option<Class>,
    pub(super) latency: Duration,
    pub(super) retry_after: Option<Duration>,
}

/// Where in a stack something was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Above the retry: what the caller sees.
    Call,
    /// Below it: what the server sees.
    Attempt,
}

impl Exchange {
    /// When it began, counted from when the recorder was made.
    pub const fn at(&self) -> Duration {
        self.at
    }

    /// Whether it was a whole call or one attempt.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// Of which server, model or caller: what the recorder was told.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What came of it; `None` if it was dropped before it had an outcome, as a timeout does.
    pub const fn class(&self) -> Option<Class> {
        self.class
    }

    /// How long it took, or until it was dropped.
    pub const fn latency(&self) -> Duration {
        self.latency
    }

    /// How long the server asked to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, stage, key, class, latency, retry_after } = self;
        let (at, latency) = (at.as_secs_f64(), latency.as_secs_f64());
        let class = class.map_or(DROPPED, Class::as_str);
        write!(f, "{at:.6}\t{}\t{key}\t{class}\t{latency:.6}\t", stage.name())?;
        match retry_after {
            Some(hint) => write!(f, "{:.6}", hint.as_secs_f64()),
            None => f.write_str(NOTHING),
        }
    }
}

impl FromStr for Exchange {
    type Err = ParseExchangeError;

    fn from_str(line: &str) -> Result<Self, ParseExchangeError> {
        let mut fields = line.split('\t');
        let mut field = |name| fields.next().ok_or(ParseExchangeError { field: name });
        let exchange = Self {
            at: seconds(field("time")?).ok_or(ParseExchangeError { field: "time" })?,
            stage: Stage::named(field("stage")?).ok_or(ParseExchangeError { field: "stage" })?,
            key: field("key")?.into(),
            class: class(field("outcome")?).ok_or(ParseExchangeError { field: "outcome" })?,
            latency: seconds(field("latency")?).ok_or(ParseExchangeError { field: "latency" })?,
            retry_after: match field("hint")? {
                NOTHING => None,
                hint => Some(seconds(hint).ok_or(ParseExchangeError { field: "hint" })?),
            },
        };
        fields.next().map_or(Ok(exchange), |_| Err(ParseExchangeError { field: "seventh" }))
    }
}

impl Stage {
    const fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Attempt => "attempt",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Call, Self::Attempt].into_iter().find(|stage| stage.name() == name)
    }
}

/// Which field of a line is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseExchangeError {
    field: &'static str,
}

impl fmt::Display for ParseExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} field of a recorded line is missing or wrong", self.field)
    }
}

impl Error for ParseExchangeError {}

/// Whole microseconds.
fn seconds(text: &str) -> Option<Duration> {
    let seconds = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
    let micros = (seconds.as_nanos() + 500) / 1_000;
    u64::try_from(micros).ok().map(Duration::from_micros)
}

fn class(name: &str) -> Option<Option<Class>> {
    let named = || Class::ALL.into_iter().find(|class| class.as_str() == name);
    if name == DROPPED { Some(None) } else { named().map(Some) }
}

const DROPPED: &str = "dropped";
const NOTHING: &str = "-";
