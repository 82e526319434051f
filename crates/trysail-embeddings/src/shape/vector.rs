//! One vector of an answer.

use crate::{
    json::{Broken, Reader, Text},
    shape::Vector,
};

/// Reads a vector, and puts its values behind those that are there.
pub(super) fn read(json: &mut Reader<'_>, values: &mut Vec<f32>) -> Result<Vector, Broken> {
    match json.peek()? {
        b'[' => rows(json, values),
        b'"' => base64(json.string()?, values),
        b'n' => json.pass_over().map(|()| Vector::Floats(values.len()..values.len())),
        _ => json.pass_over().map(|()| Vector::Odd),
    }
}

/// Reads a list of numbers or of rows of them; the values of the first row are kept.
fn rows(json: &mut Reader<'_>, values: &mut Vec<f32>) -> Result<Vector, Broken> {
    let start = values.len();
    let (mut rows, mut row) = (0, None);
    let mut list = json.enter()?;
    while json.next_element(&mut list)? {
        match json.peek()? {
            b'-' | b'0'..=b'9' => json.numbers(values)?,
            b'[' => {
                rows += 1;
                match row {
                    None => row = Some(self::rows(json, values)?),
                    Some(_) => _ = json.skip()?,
                }
            }
            // A null stands where a server's own encoder met what is no number.
            _ => {
                json.pass_over()?;
                values.push(f32::NAN);
            }
        }
    }
    let end = values.len();
    Ok(match row {
        None => Vector::Floats(start..end),
        // Some servers have a row for each token, and one row where they pool them.
        Some(Vector::Floats(row)) if rows == 1 && row == (start..end) => Vector::Floats(row),
        Some(Vector::Rows(rows)) => Vector::Rows(rows),
        Some(_) if rows > 1 => Vector::Rows(rows),
        Some(_) => Vector::Odd,
    })
}

fn base64(text: Text<'_>, values: &mut Vec<f32>) -> Result<Vector, Broken> {
    let decoded = match text.plain() {
        Some(plain) => base64_simd::STANDARD.decode_to_vec(plain),
        None => base64_simd::STANDARD.decode_to_vec(&*text.decoded()?),
    };
    let Ok(bytes) = decoded else { return text.decoded().map(|_| Vector::NotBase64) };
    let (floats, []) = bytes.as_chunks() else { return Ok(Vector::NotBase64) };
    let start = values.len();
    values.extend(floats.iter().map(|float| f32::from_le_bytes(*float)));
    Ok(Vector::Base64(start..values.len()))
}
