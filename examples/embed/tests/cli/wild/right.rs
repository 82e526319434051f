use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{play::Outcome, script::vector};

/// A result that is right.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Right {
    /// Which lines have their vectors; none, if nothing is said.
    pub(super) rows: Rows,
    pub(super) all_but: Option<Vec<u64>>,
    /// Other lines may have one too.
    pub(super) others_may: bool,
    pub(super) dims: Option<usize>,
    pub(super) one_length: bool,
    pub(super) errors: Option<usize>,
    pub(super) exit: Option<i32>,
    pub(super) within_s: Option<u64>,
    pub(super) requests_at_most: Option<usize>,
    /// Words of errors, each or another after a `|`.
    pub(super) says: Vec<String>,
    pub(super) does_not_say: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Rows {
    Named(String),
    Listed(Vec<u64>),
}

impl Right {
    /// In what an outcome differs.
    pub(super) fn differs(&self, outcome: &Outcome, texts: &BTreeMap<u64, String>) -> Vec<String> {
        let mut wrong = Vec::new();
        let Outcome { vectors, errors, .. } = outcome;
        let dims = self.dims.unwrap_or(4);
        let is_own = |line: &u64, found: &[f32]| {
            let own = texts.get(line).map(|text| vector(text, dims));
            own.is_some_and(|own| {
                own.len() == found.len() && own.iter().zip(found).all(|(own, found)| (own - found).abs() < 1e-5)
            })
        };
        let good: BTreeSet<_> =
            vectors.iter().filter(|(line, found)| is_own(line, found)).map(|(line, _)| *line).collect();
        let wanted: BTreeSet<_> = match (&self.rows, &self.all_but) {
            (Rows::Named(all), _) if all == "all" => texts.keys().copied().collect(),
            (Rows::Named(other), _) => panic!("rows: {other}"),
            (_, Some(but)) => texts.keys().copied().filter(|line| !but.contains(line)).collect(),
            (Rows::Listed(lines), None) => lines.iter().copied().collect(),
        };
        let missing: Vec<_> = wanted.difference(&good).collect();
        if let Some(first) = missing.first() {
            wrong.push(format!("{} of {} lines lack their vector, first {first}", missing.len(), wanted.len()));
        }
        let more = vectors.keys().filter(|line| !wanted.contains(line)).count();
        if more > 0 && !self.others_may {
            wrong.push(format!("{more} lines have a vector that they must not have"));
        }
        let lengths: BTreeSet<_> = vectors.values().map(Vec::len).collect();
        if self.one_length && lengths.len() > 1 {
            wrong.push(format!("vectors of several lengths: {lengths:?}"));
        }
        if let Some(wanted) = self.errors.filter(|wanted| *wanted != errors.len()) {
            wrong.push(format!("{} lines have an error, not {wanted}", errors.len()));
        }
        if self.exit.is_some_and(|exit| outcome.exit != Some(exit)) {
            wrong.push(format!("exit status {:?}, not {:?}", outcome.exit, self.exit));
        }
        if let Some(most) = self.within_s.filter(|most| outcome.took.as_secs_f32() > *most as f32) {
            wrong.push(format!("it took {:.1?}, not at most {most} s", outcome.took));
        }
        if let Some(most) = self.requests_at_most.filter(|most| outcome.log.len() > *most) {
            wrong.push(format!("{} requests, not at most {most}", outcome.log.len()));
        }
        let said = errors.values().map(|error| error.to_lowercase()).collect::<Vec<_>>().join(" ");
        let is_said = |word: &str| said.contains(&word.to_lowercase());
        for words in self.says.iter().filter(|words| !words.split('|').any(is_said)) {
            wrong.push(format!("no error says {words:?}"));
        }
        for word in self.does_not_say.iter().filter(|word| is_said(word)) {
            wrong.push(format!("an error says {word:?}"));
        }
        wrong
    }
}

impl Default for Rows {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}
