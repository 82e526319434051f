use bytes::Bytes;
use http::Response;
use serde::Deserialize;
use serde_json::Value;
use trysail_core::Allowance;
use trysail_http::rate_limit::allowance;

use crate::{EmbedRequest, shape::Index, validate::Flaw};

/// Sparse vectors, one for each input and in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseResponse {
    vectors: Vec<Vec<(u32, f32)>>,
    allowance: Allowance,
}

impl SparseResponse {
    /// The vectors: token and weight, by token, each token once. That of a text without a token that matters is empty.
    pub fn vectors(&self) -> impl ExactSizeIterator<Item = &[(u32, f32)]> {
        self.vectors.iter().map(Vec::as_slice)
    }

    /// The vectors, to keep.
    pub fn into_vectors(self) -> Vec<Vec<(u32, f32)>> {
        self.vectors
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Whether there are none; a server's answer never is.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// What the server says is left of its limits.
    pub const fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// What `response` says, if it is an answer to `request`.
    pub(super) fn read(request: &EmbedRequest, response: &Response<Bytes>) -> Result<Self, Flaw> {
        let body = response.body();
        let lists: Vec<Vec<Entry>> = serde_json::from_slice(body).map_err(|error| Flaw::of_text(body, &error))?;
        let (expected, found) = (request.len(), lists.len());
        if found != expected {
            return Err(Flaw::Count { expected, found });
        }
        let vectors = lists.into_iter().enumerate().map(|(index, list)| vector(list, index));
        Ok(Self { vectors: vectors.collect::<Result<_, _>>()?, allowance: allowance(response.headers()) })
    }
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    index: Index,
    // Whatever stands there: what is no number is a slip of the server's, however it is written.
    #[serde(default)]
    value: Value,
}

fn vector(list: Vec<Entry>, index: usize) -> Result<Vec<(u32, f32)>, Flaw> {
    let entry = |entry: Entry| {
        let Index::At(token) = entry.index else { return Err(Flaw::Token { index }) };
        let value = entry.value.as_f64().map(|value| value as f32).filter(|value| value.is_finite());
        let token = u32::try_from(token).map_err(|_| Flaw::Token { index })?;
        Ok((token, value.ok_or(Flaw::NotFinite { index })?))
    };
    let mut vector = list.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    vector.sort_unstable_by_key(|(token, _)| *token);
    if vector.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Flaw::Token { index });
    }
    Ok(vector)
}
