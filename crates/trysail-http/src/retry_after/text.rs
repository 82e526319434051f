use std::time::Duration;

use crate::retry_after::duration;

/// The first wait that `text`, a sentence or JSON, asks for.
pub(super) fn wait(text: &str) -> Option<Duration> {
    PHRASES.iter().find_map(|(phrase, unit)| {
        occurrences(text, phrase).find_map(|after| {
            let value = after.trim_start_matches([' ', '"', '\'', ':', '=']);
            let value = VAGUE.iter().find_map(|word| value.strip_prefix(word)).unwrap_or(value);
            let (wait, rest) = duration::leading(value, *unit)?;
            (!wait.is_zero() && !counts(&value[..value.len() - rest.len()], rest)).then_some(wait)
        })
    })
}

/// Whether `number` counts what `rest` begins with, and no time: `retry after 3 attempts`.
fn counts(number: &str, rest: &str) -> bool {
    let word = rest.strip_prefix(' ').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    word && number.ends_with(|c: char| c.is_ascii_digit())
}

/// What follows each occurrence of `phrase`, in any case.
fn occurrences<'a>(text: &'a str, phrase: &str) -> impl Iterator<Item = &'a str> {
    let ends = text.as_bytes().windows(phrase.len()).enumerate();
    ends.filter(|(_, window)| window.eq_ignore_ascii_case(phrase.as_bytes()))
        .filter_map(|(at, window)| text.get(at + window.len()..))
}

const VAGUE: &[&str] = &["about ", "approximately ", "another "];
/// What a wait follows, and the unit of a number without one.
const PHRASES: &[(&str, u64)] = &[
    ("try again in", duration::SECOND),
    ("try again after", duration::SECOND),
    ("retry in", duration::SECOND),
    ("retry after", duration::SECOND),
    ("please wait", duration::SECOND),
    ("wait for", duration::SECOND),
    ("resets in", duration::SECOND),
    ("reset in", duration::SECOND),
    ("reset after", duration::SECOND),
    ("retry_after_ms\"", duration::MILLISECOND),
    ("retryAfterMs\"", duration::MILLISECOND),
    ("retry_after_seconds\"", duration::SECOND),
    ("retryAfterSeconds\"", duration::SECOND),
    ("retry_after\"", duration::SECOND),
    ("retryAfter\"", duration::SECOND),
    ("retry-after", duration::SECOND),
    ("retryDelay\"", duration::SECOND),
    ("estimated_time\"", duration::SECOND),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wait_is_a_wait() {
        let table = [
            ("Please retry after 55 seconds.", Some(55_000)),
            ("Please Try Again In 2.812s. Visit https://example.com", Some(2_812)),
            ("try again in 6m0s", Some(360_000)),
            ("Try again in 1m5s", Some(65_000)),
            ("Please retry in 0.1s.", Some(100)),
            (r#"{"retryDelay": "34.5s"}"#, Some(34_500)),
            (r#"{"estimated_time":20.5}"#, Some(20_500)),
            (r#"{"retry_after":3,"message":"please try again"}"#, Some(3_000)),
            ("reformat your input and try again.", None),
            ("retry after 2026-11-23", None),
            ("try again in 0s", None),
            ("try again in a minute", None),
            ("retry after 3 attempts", None),
            ("Please wait for 10 seconds", Some(10_000)),
            ("retry after 7", Some(7_000)),
            ("try again in about 5 minutes", Some(300_000)),
            ("Retry-After: 12", Some(12_000)),
            (r#"{"retryAfterMs":250}"#, Some(250)),
            ("retry after -5 seconds", None),
            ("try again in é", None),
        ];
        for (text, ms) in table {
            assert_eq!(wait(text), ms.map(Duration::from_millis), "{text}");
        }
    }
}
