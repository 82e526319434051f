//! What all clones of a service have learnt of what their server takes.

mod bounds;

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use trysail_providers::InputLimit;

use self::bounds::Bounds;
use crate::{EmbedRequest, request::history::Likeness};

/// How much a server takes at once, and how often it fails by accident.
#[derive(Debug, Default)]
pub(crate) struct Capacity {
    learnt: Mutex<Learnt>,
    /// How many requests were answered.
    answered: AtomicU64,
    /// How many attempts failed at requests that were answered later.
    accidents: AtomicU64,
}

#[derive(Debug, Default)]
struct Learnt {
    inputs: Bounds,
    bytes: Bounds,
    tokens: Option<usize>,
    /// How many inputs are answered in time; it grows again.
    in_time: Option<usize>,
    /// What answers said they had counted, and how many bytes that was.
    counted: (u64, u64),
    /// How requests failed for one of their inputs, the last such failures.
    blamed: VecDeque<Likeness>,
    /// How many requests had been answered when one failed so the last time.
    answered_then: u64,
}

/// In what a size is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Inputs,
    Bytes,
}

/// How much there is room for in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) inputs: usize,
    pub(crate) bytes: usize,
}

impl Capacity {
    /// A request was answered, after so many failed attempts at it; the server has counted `tokens`.
    pub(crate) fn answer(&self, request: &EmbedRequest, failed: u32, tokens: Option<u64>) {
        self.answered.fetch_add(1, Relaxed);
        if failed > 0 {
            self.accidents.fetch_add(failed.into(), Relaxed);
        }
        if !request.is_divisible() {
            return;
        }
        let (inputs, bytes) = (request.len(), request.bytes());
        let mut learnt = self.learnt();
        learnt.inputs.pass(inputs);
        learnt.bytes.pass(bytes);
        if let Some(tokens) = tokens.filter(|tokens| *tokens > 0) {
            learnt.counted.0 = learnt.counted.0.saturating_add(tokens);
            learnt.counted.1 = learnt.counted.1.saturating_add(bytes as u64);
        }
        learnt.in_time = match learnt.in_time {
            // Larger ones are in time, so it was something else.
            Some(most) if inputs > most || most >= MOST => None,
            Some(most) if inputs == most => Some(most + (most / 8).max(1)),
            other => other,
        };
    }

    /// Something was answered that was asked for to find out whether anything is.
    pub(crate) fn sign_of_life(&self) {
        self.answered.fetch_add(1, Relaxed);
    }

    /// Something failed that was answered before.
    pub(crate) fn accident(&self) {
        self.accidents.fetch_add(1, Relaxed);
    }

    /// The server has named a limit when it refused a request; whether that may be the reason, as it is not if the
    /// request keeps to it. Of tokens only an estimate is known.
    pub(crate) fn name(&self, limit: InputLimit, request: &EmbedRequest) -> bool {
        let mut learnt = self.learnt();
        let learnt = &mut *learnt;
        let (found, most) = match limit {
            InputLimit::Inputs(most) => (request.len(), most),
            InputLimit::Tokens(most) => (learnt.tokens_of(request.bytes()), most),
            InputLimit::Bytes(most) => (request.bytes(), most),
            _ => return false,
        };
        if found <= most || request.len() < 2 {
            return false;
        }
        match limit {
            InputLimit::Inputs(_) => learnt.inputs.name(most),
            InputLimit::Bytes(_) => learnt.bytes.name(most),
            _ => learnt.tokens = Some(learnt.tokens.map_or(most, |before| before.min(most))),
        }
        true
    }

    /// So much was refused for its size.
    pub(crate) fn refuse(&self, unit: Unit, size: usize) {
        self.learnt().bounds(unit).fail(size);
    }

    /// A single input is what was refused.
    pub(crate) fn pardon(&self, unit: Unit) {
        self.learnt().bounds(unit).pardon();
    }

    /// So many inputs were not answered in time.
    pub(crate) fn late(&self, inputs: usize) {
        let mut learnt = self.learnt();
        let half = (inputs / 2).max(1);
        learnt.in_time = Some(learnt.in_time.map_or(half, |most| most.min(half)));
    }

    /// How much a request may hold that is cut now, of what the caller allows.
    pub(crate) fn next(&self, allowed: Room, tokens: Option<usize>) -> Room {
        let mut learnt = self.learnt();
        let tokens = learnt.tokens.into_iter().chain(tokens).min();
        let by_tokens = tokens.map_or(usize::MAX, |tokens| learnt.bytes_of(tokens));
        let in_time = learnt.in_time.unwrap_or(usize::MAX);
        Room {
            inputs: learnt.inputs.next().min(in_time).min(allowed.inputs),
            bytes: learnt.bytes.next().min(by_tokens).min(allowed.bytes),
        }
    }

    /// Whether a request may be worth sending, by all that is known.
    pub(crate) fn takes(&self, request: &EmbedRequest) -> bool {
        let learnt = self.learnt();
        let within = |bounds: Bounds, size| size <= bounds.most();
        within(learnt.inputs, request.len()) && within(learnt.bytes, request.bytes()) && learnt.named().has(request)
    }

    /// What the server has said that it takes, or answers in time, if a request is more than that.
    pub(crate) fn exceeded_by(&self, request: &EmbedRequest) -> Option<Room> {
        Some(self.learnt().named()).filter(|room| !room.has(request))
    }

    /// How much each part of a request should hold that is too much, as far as that is known.
    pub(crate) fn part_of(&self, request: &EmbedRequest) -> Room {
        let learnt = self.learnt();
        let named = learnt.named();
        Room {
            inputs: learnt.inputs.part_of(request.len()).min(named.inputs),
            bytes: learnt.bytes.part_of(request.bytes()).min(named.bytes),
        }
    }

    /// How many inputs it has said that it takes.
    pub(crate) fn named_inputs(&self) -> Option<usize> {
        self.learnt().inputs.named()
    }

    /// A request has failed so for one of its inputs.
    pub(crate) fn blame(&self, likeness: Likeness) {
        let mut learnt = self.learnt();
        if !learnt.blamed.contains(&likeness) {
            learnt.blamed.truncate(MOST_BLAMED - 1);
            learnt.blamed.push_front(likeness);
        }
        learnt.answered_then = self.answered();
    }

    /// A request has failed so; whether that may again be for one of its inputs: others did, and the server has answered
    /// since.
    pub(crate) fn fails_as_blamed(&self, likeness: Likeness) -> bool {
        let mut learnt = self.learnt();
        let blamed = learnt.blamed.contains(&likeness);
        blamed && mem::replace(&mut learnt.answered_then, self.answered()) < self.answered()
    }

    /// Whether inputs are known to make requests fail, and nothing was answered since the last that did.
    pub(crate) fn is_in_doubt(&self) -> bool {
        let learnt = self.learnt();
        !learnt.blamed.is_empty() && learnt.answered_then == self.answered()
    }

    /// How many requests were answered until now.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Relaxed)
    }

    /// How likely an attempt is to fail that would succeed another time; never nought.
    pub(crate) fn accident_rate(&self) -> f64 {
        let (answered, accidents) = (self.answered() as f64, self.accidents.load(Relaxed) as f64);
        // Jeffreys' estimate, which is defined where nothing has been seen yet.
        (accidents + 0.5) / (accidents + answered + 1.0)
    }

    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Learnt {
    /// What the server has said that it takes, or answers in time.
    fn named(&self) -> Room {
        let by_tokens = self.tokens.map_or(usize::MAX, |tokens| self.bytes_of(tokens));
        let named = |bounds: Bounds| bounds.named().unwrap_or(usize::MAX);
        Room {
            inputs: named(self.inputs).min(self.in_time.unwrap_or(usize::MAX)),
            bytes: named(self.bytes).min(by_tokens),
        }
    }

    const fn bounds(&mut self, unit: Unit) -> &mut Bounds {
        match unit {
            Unit::Inputs => &mut self.inputs,
            Unit::Bytes => &mut self.bytes,
        }
    }

    fn tokens_of(&self, bytes: usize) -> usize {
        (bytes as f64 / self.bytes_a_token()) as usize
    }

    fn bytes_of(&self, tokens: usize) -> usize {
        (tokens as f64 * self.bytes_a_token()) as usize
    }

    fn bytes_a_token(&self) -> f64 {
        match self.counted {
            (0, _) => BYTES_A_TOKEN,
            (tokens, bytes) => bytes as f64 / tokens as f64,
        }
    }
}

impl Room {
    pub(crate) const ALL: Self = Self { inputs: usize::MAX, bytes: usize::MAX };

    fn has(self, request: &EmbedRequest) -> bool {
        request.len() <= self.inputs && request.bytes() <= self.bytes
    }
}

impl Unit {
    pub(crate) fn of(self, request: &EmbedRequest) -> usize {
        match self {
            Self::Inputs => request.len(),
            Self::Bytes => request.bytes(),
        }
    }
}

/// Of an English text, before a server has counted any.
const BYTES_A_TOKEN: f64 = 4.0;
/// So many kinds of failures are remembered.
const MOST_BLAMED: usize = 8;
/// A limit that has grown to this is none.
const MOST: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(inputs: usize) -> EmbedRequest {
        EmbedRequest::new("m", vec!["four"; inputs]).divisible()
    }

    #[test]
    fn after_a_timeout_batches_are_smaller_and_grow_again() {
        let capacity = Capacity::default();
        let next = || capacity.next(Room { inputs: 64, ..Room::ALL }, None).inputs;
        capacity.late(64);
        assert_eq!(next(), 32);
        capacity.late(32);
        assert_eq!(next(), 16);
        capacity.answer(&batch(4), 0, None);
        assert_eq!(next(), 16, "a smaller one says nothing");
        let grown: Vec<_> = (0..4)
            .map(|_| {
                capacity.answer(&batch(next()), 0, None);
                next()
            })
            .collect();
        assert_eq!(grown, [18, 20, 22, 24]);
        capacity.answer(&batch(40), 0, None);
        assert_eq!(next(), 64, "larger ones are in time, so it was not the size");
    }

    #[test]
    fn a_limit_that_a_request_keeps_to_is_not_believed() {
        let capacity = Capacity::default();
        assert!(!capacity.name(InputLimit::Inputs(10), &batch(10)) && !capacity.name(InputLimit::Bytes(8), &batch(1)));
        assert!(!capacity.name(InputLimit::Tokens(10), &batch(10)), "of a token each, as it seems");
        assert!(capacity.exceeded_by(&batch(2_000)).is_none());
        assert!(capacity.name(InputLimit::Tokens(9), &batch(10)));
        assert!(capacity.exceeded_by(&batch(10)).is_some() && capacity.exceeded_by(&batch(9)).is_none());
        // The server counts two tokens where one was expected.
        capacity.answer(&batch(4), 0, Some(8));
        assert!(capacity.exceeded_by(&batch(5)).is_some() && capacity.exceeded_by(&batch(4)).is_none());
    }

    #[test]
    fn what_is_answered_later_was_an_accident() {
        let capacity = Capacity::default();
        assert!(capacity.accident_rate() == 0.5);
        (0..9).for_each(|_| capacity.answer(&batch(1), 0, None));
        assert!(capacity.accident_rate() == 0.05);
        capacity.answer(&batch(1), 10, None);
        assert!(capacity.accident_rate() == 0.5);
    }
}
