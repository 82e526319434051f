use std::cmp::Ordering;

use bytes::Bytes;
use http::Response;
use serde::Deserialize;
use serde_json::Value;
use trysail_core::Allowance;
use trysail_http::rate_limit::allowance;

use crate::{RerankRequest, shape::Index, validate::Flaw};

/// The texts that were asked about, the best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RerankResponse {
    ranks: Vec<Ranked>,
    allowance: Allowance,
}

/// A text, and how well it answers the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    index: usize,
    score: f64,
}

impl RerankResponse {
    /// The texts by their score, the best first; equal ones in the order of the request.
    pub fn ranks(&self) -> &[Ranked] {
        &self.ranks
    }

    /// How many there are: all that were asked about, or the `top_n`.
    pub const fn len(&self) -> usize {
        self.ranks.len()
    }

    /// Whether there are none; a server's answer never is.
    pub const fn is_empty(&self) -> bool {
        self.ranks.is_empty()
    }

    /// What the server says is left of its limits; of several answers together, nothing.
    pub const fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// Takes in the ranks of texts that stand `first` texts further on.
    pub(crate) fn append(&mut self, next: Self, first: usize) {
        self.ranks.extend(next.ranks.into_iter().map(|rank| Ranked { index: rank.index + first, ..rank }));
    }

    /// In order, and the best `top_n` alone.
    pub(crate) fn sorted(mut self, top_n: Option<usize>) -> Self {
        self.ranks.sort_by(Ranked::compare);
        self.ranks.truncate(top_n.unwrap_or(usize::MAX));
        self
    }

    /// What `response` says, if it is an answer to `request`.
    pub(super) fn read(request: &RerankRequest, response: &Response<Bytes>) -> Result<Self, Flaw> {
        let body = response.body();
        let answer: Answer = serde_json::from_slice(body).map_err(|error| match Flaw::of_text(body, &error) {
            Flaw::NoVectors => Flaw::NoScores,
            flaw => flaw,
        })?;
        let (Answer::List(items) | Answer::Results { results: items } | Answer::Data { data: items }) = answer;
        let (expected, found) = (request.fewest(), items.len());
        // A server may not know how many are enough.
        if found != expected && found != request.len() {
            return Err(Flaw::Scores { expected, found });
        }
        let mut seen = vec![false; request.len()];
        let ranks = items.into_iter().enumerate().map(|(item, found)| found.rank(item, &mut seen));
        let (ranks, allowance) = (ranks.collect::<Result<_, _>>()?, allowance(response.headers()));
        Ok(Self { ranks, allowance }.sorted(request.most()))
    }
}

impl Ranked {
    /// Which of the texts it is, counted from 0.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Its score, on a scale of the model's own.
    pub const fn score(&self) -> f64 {
        self.score
    }

    fn compare(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.index.cmp(&other.index))
    }
}

/// An answer of any family.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    List(Vec<Item>),
    Results { results: Vec<Item> },
    Data { data: Vec<Item> },
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    index: Index,
    // Whatever stands there: what is no number is a slip of the server's, however it is written.
    #[serde(default)]
    score: Value,
    #[serde(default)]
    relevance_score: Value,
}

impl Item {
    fn rank(self, item: usize, seen: &mut [bool]) -> Result<Ranked, Flaw> {
        // The best comes first, so that where it stands says nothing about which it is.
        let Index::At(index) = self.index else { return Err(Flaw::OddIndex { item }) };
        let place = usize::try_from(index).ok().filter(|place| seen.get(*place) == Some(&false));
        let place = place.ok_or(Flaw::Index { index })?;
        seen[place] = true;
        let score = self.relevance_score.as_f64().or(self.score.as_f64()).filter(|score| score.is_finite());
        Ok(Ranked { index: place, score: score.ok_or(Flaw::Score { index: place })? })
    }
}
