//! How much may be sent at once, in the words of a refusal.

mod bound;
mod phrase;
mod piece;
#[cfg(test)]
mod tests;
mod unit;

use self::{
    bound::Bound,
    unit::{Unit, unit},
};
use crate::clause;

/// How much a server takes in one request; never 0.
///
/// It says nothing about how long one input may be, or about how much may be sent in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputLimit {
    /// So many inputs.
    Inputs(usize),
    /// So many tokens, those of all inputs together.
    Tokens(usize),
    /// A body of so many bytes.
    Bytes(usize),
}

impl InputLimit {
    /// The first that `lower`, a refusal in lower case, names; `split` if it is known to speak of the number of inputs.
    pub(super) fn of(lower: &str, split: bool) -> Option<Self> {
        if RATES.iter().any(|word| clause::holds(lower, word)) || STEMS.iter().any(|stem| lower.contains(stem)) {
            return None;
        }
        // An apostrophe would make a plural of whose limit it is.
        let said = clause::unquoted(&lower.replace("'s ", " ").replace("’s ", " "), is_said);
        let sentences = piece::sentences(&said);
        let bounds = (0..sentences.len()).flat_map(|at| Bound::all(&sentences[at]).map(move |bound| (at, bound)));
        bounds
            .take(MANY)
            .find_map(|(at, bound)| Self::new(unit(&bound, &sentences[at], &sentences[..at], split)?, bound.most))
    }

    const fn new(unit: Unit, most: usize) -> Option<Self> {
        match unit {
            _ if most == 0 => None,
            Unit::Inputs => Some(Self::Inputs(most)),
            Unit::Tokens => Some(Self::Tokens(most)),
            Unit::Bytes => Some(Self::Bytes(most)),
            Unit::Requests | Unit::Other => None,
        }
    }
}

/// Whether quotes enclose what is said and no echo: a word, or the message in JSON that was printed by Python.
fn is_said(before: &str, quoted: &str) -> bool {
    let key = before.trim_end().strip_suffix(':').map(|before| before.trim_end().trim_end_matches(['\'', '"', '\\']));
    let message = key.is_some_and(|key| MESSAGES.iter().any(|name| key.ends_with(name)));
    message || !quoted.trim().contains(char::is_whitespace)
}

/// How many numbers are worth a look.
const MANY: usize = 32;
const MESSAGES: &[&str] = &["message", "msg", "detail", "error", "description"];

/// What is counted over time, or at one time, is no matter of a single request.
const RATES: &[&str] = &[
    "rpm",
    "tpm",
    "rps",
    "tps",
    "qps",
    "rpd",
    "tpd",
    "minute",
    "per min",
    "/min",
    "/ min",
    "a min",
    "per second",
    "per hour",
    "per day",
    "/sec",
    "/hour",
    "/day",
    "daily",
    "monthly",
    "queue",
    "pending",
];
const STEMS: &[&str] = &[
    "rate limit",
    "rate-limit",
    "rate_limit",
    "ratelimit",
    "quota",
    "concurren",
    "in flight",
    "in-flight",
    "parallel",
    "simultan",
    "每分钟",
    "每秒",
    "每天",
    "并发",
    "频率",
    "速率",
    "限流",
];
