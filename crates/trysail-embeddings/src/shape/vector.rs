//! One vector of an answer.

use std::fmt;

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::shape::Vector;

/// Reads a vector, and puts its values behind those that are there.
pub(super) struct VectorSeed<'a> {
    pub(super) values: &'a mut Vec<f32>,
}

impl<'de> DeserializeSeed<'de> for VectorSeed<'_> {
    type Value = Vector;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vector, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for VectorSeed<'_> {
    type Value = Vector;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers or a base64 string")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vector, A::Error> {
        let Self { values } = self;
        let start = values.len();
        let (mut rows, mut row) = (0, None);
        while let Some(element) = seq.next_element_seed(Element { values: &mut *values, is_first: rows == 0 })? {
            if let Some(vector) = element {
                rows += 1;
                row.get_or_insert(vector);
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

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vector, E> {
        let Ok(bytes) = base64_simd::STANDARD.decode_to_vec(text) else { return Ok(Vector::NotBase64) };
        let (floats, []) = bytes.as_chunks() else { return Ok(Vector::NotBase64) };
        let start = self.values.len();
        self.values.extend(floats.iter().map(|float| f32::from_le_bytes(*float)));
        Ok(Vector::Base64(start..self.values.len()))
    }

    fn visit_unit<E>(self) -> Result<Vector, E> {
        Ok(Vector::Floats(self.values.len()..self.values.len()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vector, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Vector::Odd)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Vector, E> {
        Ok(Vector::Odd)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Vector, E> {
        Ok(Vector::Odd)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Vector, E> {
        Ok(Vector::Odd)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Vector, E> {
        Ok(Vector::Odd)
    }
}

/// A number, or a row of them; the values of the first row are kept.
struct Element<'a> {
    values: &'a mut Vec<f32>,
    is_first: bool,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Option<Vector>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Vector>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = Option<Vector>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, number: f64) -> Result<Option<Vector>, E> {
        self.values.push(number as f32);
        Ok(None)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Option<Vector>, E> {
        self.values.push(number as f32);
        Ok(None)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Option<Vector>, E> {
        self.values.push(number as f32);
        Ok(None)
    }

    // A null stands where a server's own encoder met what is no number.
    fn visit_unit<E>(self) -> Result<Option<Vector>, E> {
        self.values.push(f32::NAN);
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<Vector>, E> {
        self.values.push(f32::NAN);
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<Vector>, E> {
        self.values.push(f32::NAN);
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Vector>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.values.push(f32::NAN);
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Vector>, A::Error> {
        if self.is_first {
            return VectorSeed { values: self.values }.visit_seq(seq).map(Some);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Some(Vector::Odd))
    }
}
