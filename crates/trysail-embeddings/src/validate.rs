//! Decodes an answer, and finds out whether it is one.

mod flaw;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use trysail_core::{Allowance, Class, Verdict};
use trysail_http::rate_limit::allowance;
use trysail_providers::Providers;

pub(crate) use self::flaw::Flaw;
use crate::{
    EmbedResponse,
    api::Api,
    shape::{self, Answer, Index, Item, Vector},
};

/// What an answer must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) count: usize,
    pub(crate) dimensions: Option<usize>,
    pub(crate) floats: bool,
}

/// The vectors of a response that is called a success.
pub(crate) fn vectors(response: &Response<Bytes>, api: &Api, expected: Expected) -> Result<EmbedResponse, Flaw> {
    if response.status() == StatusCode::PARTIAL_CONTENT {
        return Err(Flaw::Partial);
    }
    let answer = decode(response.body(), api, expected);
    answer.map(|answer| answer.leaving(allowance(response.headers()))).map_err(|flaw| match flaw {
        Flaw::Binary if response.headers().contains_key(header::CONTENT_ENCODING) => Flaw::Compressed,
        flaw => flaw,
    })
}

/// What an answer without usable vectors says of an error, if it says so.
pub(crate) fn error_inside(flaw: Flaw, response: &mut Response<Bytes>, expected: Expected) -> Option<Verdict> {
    if !flaw.may_be_an_error() {
        return None;
    }
    response.extensions_mut().insert(trysail_http::Expected::vectors(expected.count));
    let judgement = Providers.judge(response);
    let verdict = judgement.verdict();
    let said = match verdict.class() {
        Class::Success => false,
        Class::Malformed => judgement.rule() == Flaw::Error.rule(),
        _ => true,
    };
    said.then_some(verdict)
}

pub(crate) fn decode(body: &[u8], api: &Api, expected: Expected) -> Result<EmbedResponse, Flaw> {
    let answer = shape::read(body, api, expected.count).map_err(|broken| Flaw::of_text(body, broken))?;
    let Answer { items, values, found, model, tokens, twice, error } = answer;
    let nothing = |items: &Vec<Item>| !items.is_empty() && items.iter().all(|item| item.vector == Vector::Unknown);
    let items = items.filter(|items| !nothing(items)).ok_or(Flaw::NoVectors)?;
    if let Some(field) = twice {
        return Err(Flaw::Twice { field });
    }
    if found != expected.count {
        return Err(Flaw::Count { expected: expected.count, found });
    }
    if error {
        return Err(Flaw::Error);
    }
    let order = order(&items)?;
    let mut dimensions = expected.dimensions;
    for (index, position) in order.iter().enumerate() {
        let vector = match &items[*position].vector {
            Vector::Floats(range) => &values[range.clone()],
            Vector::Base64(_) if expected.floats => return Err(Flaw::NotAsked),
            Vector::Base64(range) => &values[range.clone()],
            Vector::NotBase64 => return Err(Flaw::Base64 { index }),
            Vector::Rows(rows) => return Err(Flaw::Rows { index, rows: *rows }),
            Vector::Odd => return Err(Flaw::NotFinite { index }),
            Vector::Unknown => return Err(Flaw::Empty { index }),
        };
        check(vector, index)?;
        let (expected, found) = (*dimensions.get_or_insert(vector.len()), vector.len());
        if found != expected {
            return Err(Flaw::Length { index, expected, found });
        }
    }
    let dimensions = dimensions.unwrap_or(1).max(1);
    let mut values = in_order(values, &order, dimensions);
    values.shrink_to_fit();
    Ok(EmbedResponse { values, dimensions, model, tokens, allowance: Allowance::default() })
}

/// At which position the vector of each input stands.
fn order(items: &[Item]) -> Result<Vec<usize>, Flaw> {
    if items.iter().all(|item| item.index == Index::Missing) {
        return Ok((0..items.len()).collect());
    }
    if items.iter().enumerate().all(|(position, item)| item.index == Index::At(position as u64 + 1)) {
        return Err(Flaw::FromOne);
    }
    let mut order = vec![None; items.len()];
    for (position, item) in items.iter().enumerate() {
        let index = match item.index {
            Index::Missing => return Err(Flaw::NoIndex { item: position }),
            Index::At(index) => index,
            Index::Odd => return Err(Flaw::OddIndex { item: position }),
        };
        let place = usize::try_from(index).ok().and_then(|index| order.get_mut(index)).filter(|place| place.is_none());
        *place.ok_or(Flaw::Index { index })? = Some(position);
    }
    // As many places as items, and none is taken twice.
    Ok(order.into_iter().flatten().collect())
}

/// `values`, of which each vector has its place, in the order of the inputs.
fn in_order(values: Vec<f32>, order: &[usize], dimensions: usize) -> Vec<f32> {
    if order.iter().enumerate().all(|(index, position)| index == *position) {
        return values;
    }
    let vector = |position: &usize| &values[position * dimensions..(position + 1) * dimensions];
    order.iter().flat_map(|position| vector(position).iter().copied()).collect()
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

#[cfg(test)]
mod tests;
