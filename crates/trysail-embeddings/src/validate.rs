//! Decodes an answer, and finds out whether it is one.

use std::fmt;

use bytes::Bytes;
use http::Response;
use serde_json::error::Category;
use trysail_core::{Class, Verdict};
use trysail_providers::Providers;

use crate::{
    EmbedResponse,
    api::Api,
    shape::{self, Answer, Index, Vector},
};

/// What an answer must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) count: usize,
    pub(crate) dimensions: Option<usize>,
    pub(crate) floats: bool,
}

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    EndsEarly,
    NotJson,
    Page,
    NoVectors,
    Count { expected: usize, found: usize },
    Index { index: u64 },
    OddIndex { item: usize },
    Empty { index: usize },
    Dimensions { expected: usize, found: usize },
    NotFinite { index: usize },
    Zero { index: usize },
    Base64 { index: usize },
    NotAsked,
    Token { index: usize },
    NoScores,
    Scores { expected: usize, found: usize },
    Score { index: usize },
}

impl Flaw {
    /// A slip of the server may not happen again; a wrong address or request stays wrong.
    pub(crate) const fn verdict(self) -> Verdict {
        match self {
            Self::EndsEarly
            | Self::NotJson
            | Self::Count { .. }
            | Self::Index { .. }
            | Self::OddIndex { .. }
            | Self::Empty { .. }
            | Self::NotFinite { .. }
            | Self::Base64 { .. }
            | Self::Token { .. }
            | Self::Scores { .. }
            | Self::Score { .. } => Verdict::MALFORMED,
            Self::Page
            | Self::NoVectors
            | Self::NoScores
            | Self::Dimensions { .. }
            | Self::Zero { .. }
            | Self::NotAsked => Verdict::MALFORMED.once().neutral(),
        }
    }

    /// Its name in the manual of classes.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::EndsEarly => "answer/ends-early",
            Self::NotJson => "answer/not-json",
            Self::Page => "answer/page",
            Self::NoVectors => "answer/no-vectors",
            Self::Count { .. } => "answer/count",
            Self::Index { .. } | Self::OddIndex { .. } => "answer/index",
            Self::Empty { .. } => "answer/empty-vector",
            Self::Dimensions { .. } => "answer/dimension",
            Self::NotFinite { .. } => "answer/not-finite",
            Self::Zero { .. } => "answer/zero",
            Self::Base64 { .. } => "answer/broken-base64",
            Self::NotAsked => "answer/base64",
            Self::Token { .. } => "answer/token",
            Self::NoScores => "answer/no-scores",
            Self::Scores { .. } => "answer/count",
            Self::Score { .. } => "answer/not-finite",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndsEarly => f.write_str("its JSON ends early"),
            Self::NotJson => f.write_str("it is not JSON"),
            Self::Page => f.write_str("it is a page for people; check the URL"),
            Self::NoVectors => f.write_str("it holds no list of embeddings; check the URL"),
            Self::Count { expected, found } => write!(f, "it holds {found} vectors for {expected} inputs"),
            Self::Index { index } => write!(f, "its index {index} is there twice or out of range"),
            Self::OddIndex { item } => write!(f, "the index of its item {item} is no whole number"),
            Self::Empty { index } => write!(f, "vector {index} is empty"),
            Self::Dimensions { expected, found } => {
                write!(f, "it holds a vector of {found} dimensions where {expected} were expected")
            }
            Self::NotFinite { index } => write!(f, "vector {index} holds a value that is no number"),
            Self::Zero { index } => write!(f, "vector {index} is zero"),
            Self::Base64 { index } => write!(f, "vector {index} is no base64 of 32-bit floats"),
            Self::NotAsked => f.write_str("it is base64 where numbers were asked for"),
            Self::Token { index } => write!(f, "vector {index} holds a token that is there twice or out of range"),
            Self::NoScores => f.write_str("it holds no list of scores; check the URL"),
            Self::Scores { expected, found } => write!(f, "it holds {found} scores where {expected} were expected"),
            Self::Score { index } => write!(f, "the score of text {index} is no number"),
        }
    }
}

/// What an answer without usable vectors says of an error, if it says that a server would have a status for.
pub(crate) fn error_inside(flaw: Flaw, response: &mut Response<Bytes>, expected: Expected) -> Option<Verdict> {
    if !matches!(
        flaw,
        Flaw::Page | Flaw::NoVectors | Flaw::NoScores | Flaw::Count { .. } | Flaw::Scores { .. } | Flaw::Empty { .. }
    ) {
        return None;
    }
    response.extensions_mut().insert(trysail_http::Expected::vectors(expected.count));
    let verdict = Providers.judge(response).verdict();
    (!matches!(verdict.class(), Class::Success | Class::Malformed)).then_some(verdict)
}

pub(crate) fn decode(body: &[u8], api: &Api, expected: Expected) -> Result<EmbedResponse, Flaw> {
    let Answer { items, model, tokens } = shape::read(body, api).map_err(|error| flaw(body, &error))?;
    let items = items.ok_or(Flaw::NoVectors)?;
    let found = items.len();
    if found != expected.count {
        return Err(Flaw::Count { expected: expected.count, found });
    }
    let mut order = vec![None; found];
    for (position, item) in items.iter().enumerate() {
        let index = match item.index {
            Index::Missing => position as u64,
            Index::At(index) => index,
            Index::Odd => return Err(Flaw::OddIndex { item: position }),
        };
        let place = usize::try_from(index).ok().and_then(|index| order.get_mut(index)).filter(|place| place.is_none());
        *place.ok_or(Flaw::Index { index })? = Some(position);
    }
    let mut dimensions = expected.dimensions;
    // What is there already, not what the first vector promises.
    let mut values = Vec::with_capacity(items.iter().map(|item| item.vector.len()).sum());
    for (index, position) in order.into_iter().flatten().enumerate() {
        let vector = &items[position].vector;
        match vector {
            Vector::NotBase64 => return Err(Flaw::Base64 { index }),
            Vector::Base64(_) if expected.floats => return Err(Flaw::NotAsked),
            Vector::Base64(_) | Vector::Floats(_) => {}
        }
        let before = values.len();
        vector.append_to(&mut values);
        check(&values[before..], index)?;
        let expected = *dimensions.get_or_insert(vector.len());
        if vector.len() != expected {
            return Err(Flaw::Dimensions { expected, found: vector.len() });
        }
    }
    Ok(EmbedResponse { values, dimensions: dimensions.unwrap_or(1).max(1), model, tokens })
}

fn check(vector: &[f32], index: usize) -> Result<(), Flaw> {
    if vector.is_empty() {
        return Err(Flaw::Empty { index });
    }
    // To the end, which is faster than to look after each whether to go on.
    if !vector.iter().fold(true, |all, value| all & value.is_finite()) {
        return Err(Flaw::NotFinite { index });
    }
    if vector.iter().all(|value| *value == 0.0) {
        return Err(Flaw::Zero { index });
    }
    Ok(())
}

/// What is wrong with a `body` that cannot be read.
pub(crate) fn flaw(body: &[u8], error: &serde_json::Error) -> Flaw {
    let start = body.trim_ascii_start();
    match error.classify() {
        Category::Data => Flaw::NoVectors,
        Category::Syntax | Category::Eof | Category::Io => match start.first() {
            Some(b'{' | b'[') if error.is_eof() => Flaw::EndsEarly,
            Some(b'{' | b'[') => Flaw::NotJson,
            None => Flaw::EndsEarly,
            Some(_) => Flaw::Page,
        },
    }
}

#[cfg(test)]
mod tests;
