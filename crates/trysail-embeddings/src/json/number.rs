//! Numbers, to the nearest `f32`.

use crate::json::{Broken, Reader, digits::some_digits};

impl Reader<'_> {
    /// The number that begins here. One that no `f64` is large enough for is none.
    pub(super) fn number(&mut self) -> Result<f32, Broken> {
        let (value, rest) = number(&self.text[self.at..])?;
        self.at = self.text.len() - rest.len();
        Ok(value)
    }

    /// The numbers that begin here, as long as each follows a comma; puts them behind `values`.
    pub(crate) fn numbers(&mut self, values: &mut Vec<f32>) -> Result<(), Broken> {
        let mut text = &self.text[self.at..];
        loop {
            let (value, rest) = number(text)?;
            values.push(value);
            text = match rest {
                [b',', b'-' | b'0'..=b'9', ..] => &rest[1..],
                [b',', b' ', b'-' | b'0'..=b'9', ..] => &rest[2..],
                _ => {
                    self.at = self.text.len() - rest.len();
                    return Ok(());
                }
            };
        }
    }
}

/// The number at the beginning of `text`, and what follows.
#[inline(always)]
fn number(text: &[u8]) -> Result<(f32, &[u8]), Broken> {
    let (number, rest) = scan(text)?;
    match number.nearest() {
        Some(value) => Ok((value, rest)),
        None => Ok((parse(&text[..text.len() - rest.len()])?, rest)),
    }
}

/// A number as it is written: `digits` times ten to the power of `exponent`.
#[derive(Clone, Copy)]
pub(super) struct Number {
    is_negative: bool,
    /// As far as 64 bits hold them.
    digits: u64,
    /// How many digits those may be.
    count: usize,
    exponent: i32,
}

impl Number {
    /// The nearest `f32`, unless that takes more than a multiplication or a division.
    ///
    /// The `f64` in between is at most two of its steps away from the number: where it is further than that from where two
    /// `f32`s meet, both are rounded alike.
    #[inline]
    fn nearest(self) -> Option<f32> {
        let power = *POWERS.get(self.exponent.unsigned_abs() as usize)?;
        let digits = self.digits as f64;
        let value = if self.exponent < 0 { digits / power } else { digits * power };
        let is_near_middle = (value.to_bits() & BEYOND_F32).abs_diff(MIDDLE) <= UNSURE;
        let is_subnormal = value < f64::from(f32::MIN_POSITIVE) && self.digits != 0;
        if self.count > MOST_DIGITS || is_near_middle || is_subnormal {
            return None;
        }
        Some(if self.is_negative { -value } else { value } as f32)
    }
}

/// What the number at the beginning of `text` says, and what follows it.
#[inline(always)]
pub(super) fn scan(text: &[u8]) -> Result<(Number, &[u8]), Broken> {
    let (is_negative, whole) = match text {
        [b'-', whole @ ..] => (true, whole),
        whole => (false, whole),
    };
    let (mut digits, mut rest) = match whole {
        [b'0', b'0'..=b'9', ..] => return Err(Broken::NotJson),
        [b'0', rest @ ..] => (0, rest),
        whole => some_digits(whole, 0)?,
    };
    let mut count = whole.len() - rest.len();
    let mut exponent = 0;
    if let [b'.', after @ ..] = rest {
        (digits, rest) = some_digits(after, digits)?;
        let places = after.len() - rest.len();
        count += places;
        // So many that this is wrong are too many for it to matter.
        exponent = -(places as i32);
    }
    if let [b'e' | b'E', power @ ..] = rest {
        (exponent, rest) = scale(exponent, power)?;
    }
    Ok((Number { is_negative, digits, count, exponent }, rest))
}

/// `exponent` and the one that begins here.
fn scale(exponent: i32, text: &[u8]) -> Result<(i32, &[u8]), Broken> {
    let (is_negative, power) = match text {
        [b'-', power @ ..] => (true, power),
        [b'+', power @ ..] => (false, power),
        power => (false, power),
    };
    let (value, rest) = some_digits(power, 0)?;
    // One that is longer leads nowhere but to `parse`.
    let is_short = power.len() - rest.len() <= MOST_DIGITS;
    let value = i32::try_from(value).ok().filter(|_| is_short).unwrap_or(i32::MAX);
    Ok((exponent.saturating_add(if is_negative { -value } else { value }), rest))
}

/// What `scan` has found to be a number.
#[cold]
fn parse(number: &[u8]) -> Result<f32, Broken> {
    let number = std::str::from_utf8(number).map_err(|_| Broken::NotJson)?;
    // Whatever is a number in JSON is one in Rust.
    match (number.parse::<f64>(), number.parse()) {
        (Ok(value), Ok(nearest)) if value.is_finite() => Ok(nearest),
        _ => Err(Broken::NotJson),
    }
}

/// How many digits surely fit into 64 bits.
const MOST_DIGITS: usize = 19;
/// What an `f64` has beyond the precision of an `f32`, and where two of these meet.
const BEYOND_F32: u64 = (1 << 29) - 1;
const MIDDLE: u64 = 1 << 28;
const UNSURE: u64 = 4;
/// Those powers of ten that are exact.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
