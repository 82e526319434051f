//! Digits, up to eight at once.

use crate::json::Broken;

/// Behind `value`, the digits at the beginning of `text`, of which there must be one; and what follows them.
///
/// Beyond 64 bits the value wraps around.
#[inline]
pub(super) fn some_digits(text: &[u8], mut value: u64) -> Result<(u64, &[u8]), Broken> {
    let mut rest = text;
    while let Some(eight) = rest.first_chunk() {
        let (next, count) = up_to_eight(*eight);
        value = value.wrapping_mul(POWERS[count]).wrapping_add(next);
        rest = &rest[count..];
        if count < 8 {
            return if rest.len() < text.len() { Ok((value, rest)) } else { Err(Broken::NotJson) };
        }
    }
    while let [digit @ b'0'..=b'9', next @ ..] = rest {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        rest = next;
    }
    match rest {
        _ if rest.len() < text.len() => Ok((value, rest)),
        [] => Err(Broken::EndsEarly),
        _ => Err(Broken::NotJson),
    }
}

/// The digits at the beginning, and how many there are. Neighbours become pairs, pairs fours, fours the number.
#[inline]
fn up_to_eight(text: [u8; 8]) -> (u64, usize) {
    let values = u64::from_le_bytes(text) ^ (EACH * u64::from(b'0'));
    // The highest bit of whatever is more than nine; what carries over does so behind the first of these.
    let others = (values.wrapping_add(EACH * (0x80 - 10)) | values) & (EACH * 0x80);
    let count = (others.trailing_zeros() / 8) as usize;
    // Zeros come before them, instead of the others behind them.
    let digits = values.checked_shl(64 - 8 * count as u32).unwrap_or_default();
    let pairs = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000 << 32 | 1) >> 32, count)
}

/// One in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
