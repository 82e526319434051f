//! Fields that may hold anything.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use crate::shape::Index;

/// A strange index is a slip of the server's, as one that is there twice.
pub(super) fn place(index: &str) -> Index {
    // Some write their numbers as text.
    let digits = index.strip_prefix('"').and_then(|index| index.strip_suffix('"')).unwrap_or(index);
    if index == "null" { Index::Missing } else { of_text(digits) }
}

fn of_text(digits: &str) -> Index {
    match (digits.parse(), digits.parse::<f64>()) {
        (Ok(index), _) => Index::At(index),
        (_, Ok(index)) if index >= 0.0 && index.fract() == 0.0 => Index::At(index as u64),
        _ => Index::Odd,
    }
}

/// An index in an answer of which no piece is raw.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Nothing(()),
    Whole(u64),
    Number(f64),
    Text(String),
    Other(IgnoredAny),
}

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Nothing(()) => Self::Missing,
            Written::Whole(index) => Self::At(index),
            Written::Number(index) => of_text(&index.to_string()),
            Written::Text(index) => of_text(&index),
            Written::Other(_) => Self::Odd,
        })
    }
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<u64>,
    prompt_tokens: Option<u64>,
    input_tokens: Option<u64>,
    billed_units: Option<Box<Self>>,
}

/// A count of tokens, wherever it stands; who writes it otherwise does not count.
pub(super) fn count(usage: &str) -> Option<u64> {
    fn of(usage: Usage) -> Option<u64> {
        let Usage { total_tokens, prompt_tokens, input_tokens, billed_units } = usage;
        total_tokens.or(prompt_tokens).or(input_tokens).or_else(|| of(*billed_units?))
    }
    usage.parse().ok().or_else(|| of(serde_json::from_str(usage).ok()?))
}

/// Whether an `error` says that there is none.
pub(super) fn is_hollow(error: &str) -> bool {
    let mut said = error.chars().filter(|c| !c.is_whitespace());
    let start: String = said.by_ref().take(LONGEST_HOLLOW).collect();
    said.next().is_none() && HOLLOW.contains(&&*start)
}

const HOLLOW: &[&str] = &["null", "false", "0", "[]", "{}", r#""""#, r#""0""#];
const LONGEST_HOLLOW: usize = 5;
