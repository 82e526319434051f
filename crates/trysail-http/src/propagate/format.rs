use std::time::Duration;

use http::HeaderValue;

/// How a header spells the time that is left.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Milliseconds,
    /// One to eight digits and a unit, by the [protocol of gRPC](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
    Grpc,
}

impl Format {
    pub(super) fn write(self, left: Duration) -> HeaderValue {
        match self {
            Self::Milliseconds => HeaderValue::from(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
            Self::Grpc => {
                let (count, unit) = match left.as_millis() {
                    // Zero is no timeout there.
                    ms if ms <= MOST => (ms.max(1), 'm'),
                    ms => ((ms / 1_000).min(MOST), 'S'),
                };
                HeaderValue::try_from(format!("{count}{unit}")).expect("digits and a letter are visible ASCII")
            }
        }
    }

    pub(super) fn read(self, value: &str) -> Option<Duration> {
        match self {
            Self::Milliseconds => value.parse().ok().map(Duration::from_millis),
            Self::Grpc => {
                let (count, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
                let (_, length) = UNITS.iter().find(|(known, _)| *known == unit)?;
                let digits = count.len() <= DIGITS && count.bytes().all(|digit| digit.is_ascii_digit());
                let count = digits.then(|| count.parse::<u32>().ok()).flatten()?;
                Some(*length * count)
            }
        }
    }
}

const DIGITS: usize = 8;
/// The most that eight digits can say.
const MOST: u128 = 99_999_999;
const UNITS: &[(&str, Duration)] = &[
    ("H", Duration::from_secs(3_600)),
    ("M", Duration::from_secs(60)),
    ("S", Duration::from_secs(1)),
    ("m", Duration::from_millis(1)),
    ("u", Duration::from_micros(1)),
    ("n", Duration::from_nanos(1)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_spells_a_time_in_eight_digits_and_a_unit() {
        for (left, spelt) in [
            (Duration::ZERO, "1m"),
            (Duration::from_micros(2_900), "2m"),
            (Duration::from_secs(5), "5000m"),
            (Duration::from_millis(99_999_999), "99999999m"),
            (Duration::from_millis(100_000_000), "100000S"),
            (Duration::MAX, "99999999S"),
        ] {
            assert_eq!(Format::Grpc.write(left), spelt);
        }
    }

    #[test]
    fn grpc_reads_every_unit_and_nothing_else() {
        for (spelt, left) in [
            ("2H", Some(Duration::from_secs(7_200))),
            ("3M", Some(Duration::from_secs(180))),
            ("4S", Some(Duration::from_secs(4))),
            ("99999999m", Some(Duration::from_millis(99_999_999))),
            ("6u", Some(Duration::from_micros(6))),
            ("7n", Some(Duration::from_nanos(7))),
            ("0S", Some(Duration::ZERO)),
            ("99999999H", Some(Duration::from_secs(3_600 * 99_999_999))),
            ("100000000m", None),
            ("5", None),
            ("5s", None),
            ("5.0S", None),
            ("+5S", None),
            ("-5S", None),
            ("S", None),
            ("", None),
            ("5é", None),
        ] {
            assert_eq!(Format::Grpc.read(spelt), left, "{spelt}");
        }
    }
}
