use std::time::Duration;

/// A whole value such as `1m30.5s`, `20ms`, `2 minutes` or, in seconds, `55`.
pub(super) fn parse(value: &str) -> Option<Duration> {
    let (duration, rest) = leading(value, SECOND)?;
    rest.trim().is_empty().then_some(duration)
}

/// The duration that `text` starts with, and what follows it; a number without a unit counts in `bare` nanoseconds.
pub(super) fn leading(text: &str, bare: u64) -> Option<(Duration, &str)> {
    let (mut total, mut rest) = part(text, Some(bare))?;
    while let Some((more, after)) = part(rest, None) {
        total = total.checked_add(more)?;
        rest = after;
    }
    Some((total, rest))
}

/// A bare decimal number of `unit` nanoseconds: digits and at most one point.
pub(super) fn decimal(value: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let nanos = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    // Nine digits say all that a nanosecond can.
    let fraction = &fraction[..fraction.len().min(9)];
    let scale = 10_u128.pow(fraction.len() as u32);
    let part = fraction.parse::<u128>().ok()? * u128::from(unit) / scale;
    nanos.checked_add(u64::try_from(part).ok()?).map(Duration::from_nanos)
}

fn part(text: &str, bare: Option<u64>) -> Option<(Duration, &str)> {
    let (number, rest) = text.split_at(number(text));
    let word = rest.strip_prefix(' ').unwrap_or(rest);
    let (name, after) = word.split_at(word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len()));
    if let Some((_, unit)) = UNITS.iter().find(|(unit, _)| unit.eq_ignore_ascii_case(name)) {
        return Some((decimal(number, *unit)?, after));
    }
    // `5.03:23:11` and `2026-11-23` are no number of seconds.
    let glued = rest.starts_with(|c: char| c.is_alphanumeric() || "-:/%_".contains(c));
    match bare {
        Some(unit) if !glued => Some((decimal(number, unit)?, rest)),
        _ => None,
    }
}

/// The length of the number that `text` starts with.
fn number(text: &str) -> usize {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let whole = digits(text);
    match text[whole..].strip_prefix('.').map(digits) {
        None | Some(0) => whole,
        Some(fraction) => whole + 1 + fraction,
    }
}

pub(super) const MILLISECOND: u64 = 1_000_000;
pub(super) const SECOND: u64 = 1_000 * MILLISECOND;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", MILLISECOND),
    ("millisecond", MILLISECOND),
    ("milliseconds", MILLISECOND),
    ("s", SECOND),
    ("sec", SECOND),
    ("secs", SECOND),
    ("second", SECOND),
    ("seconds", SECOND),
    ("m", MINUTE),
    ("min", MINUTE),
    ("mins", MINUTE),
    ("minute", MINUTE),
    ("minutes", MINUTE),
    ("h", HOUR),
    ("hr", HOUR),
    ("hrs", HOUR),
    ("hour", HOUR),
    ("hours", HOUR),
    ("d", DAY),
    ("day", DAY),
    ("days", DAY),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_parsed_to_its_end_or_not_at_all() {
        let table = [
            ("1s", Some(1_000)),
            ("1m2.5s", Some(62_500)),
            ("6m0s", Some(360_000)),
            ("17ms", Some(17)),
            ("2 minutes", Some(120_000)),
            ("55", Some(55_000)),
            ("0.25", Some(250)),
            ("5.03:23:11", None),
            ("-1s", None),
            ("1s later", None),
            ("1 fortnight", None),
            ("99999999999999999999", None),
            ("18446744073709551615", None),
            ("18446744073s", Some(18_446_744_073_000)),
            ("18446744073d", None),
            ("", None),
            (".", None),
        ];
        for (value, ms) in table {
            assert_eq!(parse(value), ms.map(Duration::from_millis), "{value:?}");
        }
    }
}
