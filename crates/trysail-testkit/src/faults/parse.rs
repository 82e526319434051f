use std::{error::Error, fmt, str::FromStr, time::Duration};

use super::{Fault, Outage, Plan, fault::KNOWN};

/// Why a text is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    item: String,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Shape,
    Unknown,
    Percent,
    Number,
    Duration,
    NoDuration,
    Sum(u64),
}

impl FromStr for Plan {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut plan = Self::default();
        let items = text.split(',').flat_map(|item| if item.trim() == "storm" { STORM } else { item }.split(','));
        for item in items.map(str::trim).filter(|item| !item.is_empty()) {
            let blame = |why| ParseError { item: item.into(), why };
            if let Some((name, number)) = item.split_once('#') {
                let number = number.parse().map_err(|_| blame(Why::Number))?;
                plan.numbered.push((fault(name).map_err(blame)?, number));
                continue;
            }
            let (name, value) = item.split_once(':').ok_or(blame(Why::Shape))?;
            if name == DOWN {
                plan.outages.push(outage(value).ok_or(blame(Why::Duration))?);
            } else {
                let fault = fault(name).map_err(blame)?;
                let share = value.parse().ok().filter(|share| *share <= 100).ok_or(blame(Why::Percent))?;
                plan.shares.push((fault, share));
            }
        }
        match plan.shares.iter().map(|(_, share)| share).sum() {
            0..=100 => Ok(plan),
            sum => Err(ParseError { item: text.into(), why: Why::Sum(sum) }),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares = self.shares.iter().map(|(fault, share)| format!("{fault}:{share}"));
        let outages = self.outages.iter().map(|outage| format!("{DOWN}:{:?}@{:?}", outage.length, outage.start));
        let numbered = self.numbered.iter().map(|(fault, number)| format!("{fault}#{number}"));
        f.write_str(&shares.chain(numbered).chain(outages).collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item, why } = self;
        match why {
            Why::Shape => write!(
                f,
                "`{item}` is no fault: write `name:percent`, `name#2` for the second request, or `down:2s@5s` for an outage"
            ),
            Why::Unknown => {
                let known: Vec<_> = KNOWN.iter().map(|&(name, _)| name).collect();
                write!(f, "`{item}` names no fault: there are {} and {DOWN}", known.join(", "))
            }
            Why::Percent => write!(f, "`{item}` has no share of the requests: write 0 to 100 behind the colon"),
            Why::Number => write!(f, "`{item}` has no number: write 1 for the first request behind the hash"),
            Why::Duration => write!(f, "`{item}` has no duration: write `50ms`, `1.5s`, or `2s@5s` for an outage"),
            Why::NoDuration => write!(f, "`{item}` takes no duration: only 429, drip and slow do"),
            Why::Sum(sum) => write!(f, "`{item}` fails {sum} percent of the requests, which is more than all"),
        }
    }
}

impl Error for ParseError {}

fn fault(text: &str) -> Result<Fault, Why> {
    let (name, duration) = match text.split_once('=') {
        Some((name, text)) => (name, Some(duration(text).ok_or(Why::Duration)?)),
        None => (text, None),
    };
    let fault = Fault::named(name).ok_or(Why::Unknown)?;
    match (duration, fault.duration()) {
        (Some(duration), Some(_)) => Ok(fault.at(duration)),
        (Some(_), None) => Err(Why::NoDuration),
        (None, _) => Ok(fault),
    }
}

fn outage(text: &str) -> Option<Outage> {
    let (length, start) = text.split_once('@')?;
    Some(Outage { start: duration(start)?, length: duration(length)? })
}

/// What `Debug` writes for a whole number of microseconds, and any number of seconds or milliseconds.
fn duration(text: &str) -> Option<Duration> {
    let (number, scale) = [("ms", 1e-3), ("µs", 1e-6), ("s", 1.0)]
        .into_iter()
        .find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)))?;
    let seconds: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(seconds * scale).ok()
}

const DOWN: &str = "down";

/// A quarter of the requests fails, in eight ways, and many others take their time.
const STORM: &str = "503:8,429=1s:4,hang:1,reset:3,reset-body:3,truncated:2,wrong-count:2,nan:2,slow=400ms:40";
