//! Errors that are written inside the message of another.

use serde_json::{Deserializer, Value};

/// The first JSON object or list in `text`, whatever stands around it.
pub(super) fn json(text: &str) -> Option<Value> {
    let start = text.find("{\"").or_else(|| text.find("{\n")).or_else(|| text.find("[{"))?;
    let mut values = Deserializer::from_str(&text[start..]).into_iter();
    values.next()?.ok().filter(|value: &Value| value.is_object() || value.is_array())
}

/// The pairs of quoted words in text that is nearly JSON: printed by Python, or cut off.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let start = text.find(['{']).unwrap_or(text.len());
    let mut rest = &text[start..];
    std::iter::from_fn(move || {
        loop {
            let colon = rest.find(':')?;
            let (before, after) = (rest[..colon].trim_end(), rest[colon + 1..].trim_start());
            rest = &rest[colon + 1..];
            if let Some(pair) = last(before).zip(first(after)) {
                return Some(pair);
            }
        }
    })
}

/// The names of exceptions that a message starts with: `litellm.RateLimitError: OpenAIException - …`.
pub(super) fn exceptions(text: &str) -> impl Iterator<Item = &str> {
    let heads = text.split(": ").take(3).map_while(|head| (head.len() <= 60).then_some(head));
    let names = heads.filter_map(|head| head.rsplit(['.', ' ']).next());
    names.filter(|name| ["Error", "Exception", "Timeout"].iter().any(|ending| name.ends_with(ending)))
}

/// The status in `Error code: 429 - {…}`, as the client libraries print it.
pub(super) fn status(text: &str) -> Option<u16> {
    let (_, after) = text.split_once("rror code: ")?;
    let (number, _) = after.split_once(" - ")?;
    number.parse().ok().filter(|status| (400..600).contains(status))
}

/// What the quotes that `text` ends with enclose.
fn last(text: &str) -> Option<&str> {
    let quote = text.chars().next_back().filter(|c| QUOTES.contains(c))?;
    let text = &text[..text.len() - 1];
    let near = text.as_bytes().iter().rev().take(LONGEST).position(|b| *b == quote as u8)?;
    Some(&text[text.len() - near..])
}

/// What the quotes that `text` starts with enclose.
fn first(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| QUOTES.contains(c))?;
    let text = &text[1..];
    let near = text.as_bytes().iter().take(LONGEST).position(|b| *b == quote as u8)?;
    Some(&text[..near])
}

const QUOTES: &[char] = &['"', '\''];
const LONGEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_json_has_pairs() {
        let python = "Error code: 429 - {'error': {'message': \"You've\", 'type': 'tokens', 'code': 'rate_limit_exceeded', 'param': None}}";
        let pairs = quoted(python).collect::<Vec<_>>();
        assert!(pairs.contains(&("code", "rate_limit_exceeded")), "{pairs:?}");
        assert!(pairs.contains(&("type", "tokens")));
        assert_eq!(status(python), Some(429));
        assert_eq!(quoted("a: b").count(), 0);
    }

    #[test]
    fn a_message_names_its_exceptions() {
        let text = "litellm.RateLimitError: RateLimitError: OpenAIException - slow";
        assert_eq!(exceptions(text).collect::<Vec<_>>(), ["RateLimitError", "RateLimitError"]);
        assert_eq!(exceptions("no such thing").count(), 0);
    }

    #[test]
    fn json_is_found_between_words() {
        assert_eq!(json(r#"upstream said {"code":1} twice"#), Some(serde_json::json!({"code":1})));
        assert_eq!(json("no {braces}"), None);
    }
}
