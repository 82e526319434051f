use std::ops::RangeInclusive;

use proptest::{collection::vec, prelude::*};
use serde::de::IgnoredAny;

use super::*;

fn read<T>(text: &[u8], value: impl FnOnce(&mut Reader<'_>) -> Result<T, Broken>) -> Result<T, Broken> {
    let mut json = Reader::new(text);
    let value = value(&mut json)?;
    json.end()?;
    Ok(value)
}

fn number(text: &str) -> Result<f32, Broken> {
    read(text.as_bytes(), |json| json.number())
}

fn assert_is_nearest(text: &str) {
    let nearest: f32 = text.parse().unwrap();
    assert_eq!(number(text).map(f32::to_bits), Ok(nearest.to_bits()), "{text}");
}

#[test]
fn a_number_is_the_nearest() {
    for text in [
        "0",
        "-0",
        "-0.0",
        "0e999",
        "-0E-999",
        "1",
        "-1",
        "16777217",
        "0.1",
        "1e-3",
        "1E+3",
        "-12.5e-1",
        // Between two of them, to the one that is even; and a little beyond.
        "1.000000059604644775390625",
        "1.00000005960464477539062500000000000001",
        "1.00000005960464477",
        "1.00000005960464478",
        "0.50000002980232238",
        "16777217.0000000001",
        // The largest and the smallest.
        "3.4028235e38",
        "3.4028235677973362e38",
        "3.4028235677973366e38",
        "1e39",
        "1.7976931348623157e308",
        "1.1754944e-38",
        "1.17549428e-38",
        "1e-45",
        "7.006492321624085e-46",
        "7.006492321624086e-46",
        "1e-400",
        // More digits than there is room for.
        "18446744073709551615",
        "18446744073709551616",
        "0.000000000000000000000000012345678901234567890123456789",
    ] {
        assert_is_nearest(text);
    }
}

/// Which is how it differs from `serde_json`, whose `f32` comes by way of an `f64`.
#[test]
fn a_number_between_two_of_them_is_rounded_once() {
    let [text, even] = ["1.0000000596046447754", "1.0000000596046447753"];
    assert_eq!(number(text), Ok(1.0_f32.next_up()));
    assert_eq!([text, even].map(|text| text.parse::<f64>().unwrap() as f32), [1.0; 2]);
    assert_eq!(number(even), Ok(1.0));
}

#[test]
fn what_is_no_number_is_none() {
    for (text, why) in [
        ("", Broken::EndsEarly),
        ("-", Broken::EndsEarly),
        ("1.", Broken::EndsEarly),
        ("1e", Broken::EndsEarly),
        ("1e-", Broken::EndsEarly),
        ("+1", Broken::NotJson),
        (".5", Broken::NotJson),
        ("01", Broken::NotJson),
        ("-01", Broken::NotJson),
        ("1.e5", Broken::NotJson),
        ("1.5.5", Broken::NotJson),
        ("1e5.5", Broken::NotJson),
        ("0x10", Broken::NotJson),
        ("1_000", Broken::NotJson),
        ("NaN", Broken::NotJson),
        ("-Infinity", Broken::NotJson),
        ("1234567:", Broken::NotJson),
        ("1234567/", Broken::NotJson),
        ("1e309", Broken::NotJson),
        ("-1e999", Broken::NotJson),
        ("1e99999999999999999999", Broken::NotJson),
    ] {
        assert_eq!(number(text), Err(why), "{text}");
    }
    assert_eq!(number(&"9".repeat(400)), Err(Broken::NotJson));
    assert_eq!(number(&format!("0.{}1", "0".repeat(1 << 20))), Ok(0.0));
}

#[test]
fn however_deep_it_is_it_is_skipped() {
    let deep = format!("{}{}", r#"[{"a":"#.repeat(100_000), "}]".repeat(100_000));
    assert_eq!(
        read(format!("{deep}1").as_bytes(), |json| json.skip().map(|skipped| skipped.len())),
        Err(Broken::NotJson)
    );
    let whole = deep.replace(":}", ":1}");
    assert_eq!(read(whole.as_bytes(), |json| json.skip().map(|skipped| skipped.len())), Ok(whole.len()));
}

/// What `serde_json` makes of a text of which nothing is kept.
fn ignored(text: &[u8]) -> Result<(), Broken> {
    serde_json::from_slice::<IgnoredAny>(text).map(drop).map_err(|error| Broken::from(&error))
}

/// Texts that are almost JSON, and often are.
fn almost_json() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"a\":",
        "\\",
        "\\u00e",
        "\\n",
        "1",
        "-",
        "0.5",
        "1e9",
        "e",
        ".",
        "true",
        "fals",
        "null",
        "nul",
        " ",
        "\n",
        "\t",
        "\u{1}",
        "ä",
        "0",
        "[1,2]",
        "{\"b\":[]}",
    ];
    vec(prop::sample::select(PIECES), 0..12).prop_map(|pieces| pieces.concat())
}

fn digits(count: RangeInclusive<usize>) -> impl Strategy<Value = String> {
    vec(0..10_u8, count).prop_map(|digits| digits.into_iter().map(|digit| char::from(b'0' + digit)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn floats_are_read_as_they_were_written(bits in any::<u32>()) {
        let value = f32::from_bits(bits);
        prop_assume!(value.is_finite());
        for text in [format!("{value}"), format!("{value:e}"), format!("{value:?}"), format!("{:?}", f64::from(value))] {
            prop_assert_eq!(number(&text).map(f32::to_bits), Ok(bits), "{}", text);
            prop_assert_eq!(serde_json::from_str(&text).map(f32::to_bits).ok(), Some(bits), "{}", text);
        }
    }

    #[test]
    fn doubles_are_read_as_the_nearest(value in prop_oneof![any::<f64>(), -1.0..1.0_f64, any::<f32>().prop_map(between)]) {
        prop_assume!(value.is_finite());
        assert_is_nearest(&format!("{value:?}"));
        assert_is_nearest(&format!("{value:e}"));
    }

    #[test]
    fn digits_are_read_as_the_nearest(
        whole in prop_oneof![Just("0".to_owned()), digits(1..=25).prop_map(|digits| format!("1{digits}"))],
        after in digits(1..=30),
        power in -60..30_i32,
    ) {
        assert_is_nearest(&format!("-{whole}.{after}"));
        assert_is_nearest(&format!("{whole}.{after}e{power}"));
        assert_is_nearest(&format!("{whole}E{power}"));
    }

    #[test]
    fn what_is_skipped_is_what_serde_json_skips(text in almost_json()) {
        let own = read(text.as_bytes(), |json| json.skip().map(drop));
        match ignored(text.as_bytes()) {
            // To it a number that ends early is none.
            Err(Broken::NotJson) => prop_assert!(own.is_err(), "{}", text),
            theirs => prop_assert_eq!(own, theirs, "{}", text),
        }
    }

    #[test]
    fn strings_are_read_as_serde_json_reads_them(text in "[a\u{e4}\u{1f600}\"\\\\/nu0d8\u{7}]{0,40}") {
        let text = format!("\"{text}\"");
        let own = read(text.as_bytes(), |json| json.string()?.decoded().map(String::from));
        prop_assert_eq!(own.ok(), serde_json::from_str::<String>(&text).ok(), "{}", text);
    }
}

/// Where two of them meet.
fn between(value: f32) -> f64 {
    f64::midpoint(value.into(), value.next_up().into())
}
