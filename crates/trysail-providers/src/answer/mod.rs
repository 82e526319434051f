//! Checks the body of a 2xx.

mod flaw;
mod node;
mod vectors;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::de::DeserializeSeed;
use trysail_http::{Encoding, Expected};

pub(super) use self::flaw::Flaw;
use self::{
    node::{Node, NodeSeed, Numbers},
    vectors::{Found, Vector, vectors},
};
use crate::complaint::unmarked;

/// Whether `body` is a good answer.
pub(super) fn check(body: &[u8], expected: Expected) -> Result<(), Flaw> {
    let body = unmarked(body);
    if body.trim_ascii().is_empty() {
        return Err(Flaw::Empty);
    }
    // One more than that is too many.
    let most = expected.count.saturating_add(1);
    let mut json = serde_json::Deserializer::from_slice(body);
    let node = NodeSeed { most }.deserialize(&mut json).and_then(|node| json.end().map(|()| node));
    let node = node.map_err(|error| Flaw::of_text(body, &error))?;
    if matches!(&node, Node::Null) || matches!(&node, Node::Fields(fields) if fields.is_empty()) {
        return Err(Flaw::Empty);
    }
    if node.has_twice() {
        return Err(Flaw::Twice);
    }
    let found = vectors(&node, most).ok_or(Flaw::NoVectors)?;
    if found.len() != expected.count {
        return Err(Flaw::Count);
    }
    if ERRORS.iter().any(|name| node.field(name).is_some_and(|error| !error.is_hollow())) {
        return Err(Flaw::Error);
    }
    in_order(&found)?;
    let mut dimension = expected.dimension;
    for Found { vector, .. } in &found {
        let numbers = match *vector {
            Vector::Numbers(numbers) => numbers,
            Vector::Text(_) if expected.encoding == Encoding::Float => return Err(Flaw::Base64),
            Vector::Text(text) => decode(text).ok_or(Flaw::BrokenBase64)?,
            Vector::Nothing => return Err(Flaw::EmptyVector),
        };
        if numbers.count == 0 {
            return Err(Flaw::EmptyVector);
        }
        if numbers.unusable > 0 {
            return Err(Flaw::NotFinite);
        }
        if numbers.count != *dimension.get_or_insert(numbers.count) {
            return Err(Flaw::Dimension);
        }
        if numbers.zeros == numbers.count {
            return Err(Flaw::Zero);
        }
    }
    Ok(())
}

/// Each place is there once, unless nothing is numbered.
fn in_order(found: &[Found<'_>]) -> Result<(), Flaw> {
    if found.iter().all(|found| found.index.is_none()) {
        return Ok(());
    }
    let mut seen = vec![false; found.len()];
    for found in found {
        let place = found.index.and_then(|index| usize::try_from(index).ok()).and_then(|index| seen.get_mut(index));
        match place {
            Some(seen) if !*seen => *seen = true,
            _ => return Err(Flaw::Index),
        }
    }
    Ok(())
}

fn decode(text: &str) -> Option<Numbers> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let (floats, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut numbers = Numbers::default();
    for float in floats {
        numbers.push(f32::from_le_bytes(*float));
    }
    Some(numbers)
}

/// Where an answer says beside its vectors that something went wrong.
const ERRORS: &[&str] = &["error", "errors"];

#[cfg(test)]
mod tests;
