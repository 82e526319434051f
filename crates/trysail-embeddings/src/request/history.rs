//! What became of the attempts at one request.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::capacity::{Capacity, Unit};

/// The failed attempts at a request, and at those it is a part of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct History {
    likeness: Option<Likeness>,
    /// How many in a row were alike.
    alike: u32,
    /// How many of those were attempts at this request itself.
    own: u32,
    /// How many attempts have failed at this request itself.
    failed: u32,
    /// How many requests had been answered when each of the last three failed.
    answered: [u64; 3],
}

/// In what two failures are the same: status and words, or flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Likeness(u64);

/// What a failure of a request means for its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing that was not in the verdict.
    #[default]
    Nothing,
    /// Every request would fail so.
    All,
    /// Every request would fail so, unless others were answered.
    AllUnlessAnswered(Likeness),
    /// It is more than what the service knows to be the limit.
    Cut,
    /// It was too much, by this measure.
    TooMuch(Unit),
    /// One of its inputs is too long.
    TooLong,
    /// Perhaps for one of its inputs only.
    Refused(Likeness),
    /// For one of its inputs, since others are answered.
    Suspect,
}

impl History {
    /// Another attempt has failed.
    pub(crate) fn fail(&mut self, likeness: Likeness, capacity: &Capacity) {
        if self.likeness != Some(likeness) {
            *self = Self { likeness: Some(likeness), alike: 0, own: 0, answered: [capacity.answered(); 3], ..*self };
        }
        self.alike += 1;
        self.own += 1;
        self.failed += 1;
        self.answered = [self.answered[1], self.answered[2], capacity.answered()];
    }

    /// What went first has failed, so that nothing is known of the request.
    pub(crate) const fn fail_unasked(&mut self) {
        self.failed += 1;
    }

    /// Whether others were answered between its last failures.
    pub(crate) const fn others_are_answered(&self) -> bool {
        self.answered[0] < self.answered[2]
    }

    /// Whether that could be said if another attempt failed now.
    pub(crate) fn others_will_be_answered(&self, capacity: &Capacity) -> bool {
        self.answered[1] < capacity.answered()
    }

    /// Whether the last failures are alike too often for an accident, such as befalls this server.
    pub(crate) fn is_no_accident(&self, inputs: usize, answers: bool, capacity: &Capacity) -> bool {
        let doubt = match (inputs, answers) {
            (1, false) => GIVES_UP,
            (1, true) => GIVES_UP_ANSWERED,
            _ => HALVES,
        };
        let rate = capacity.accident_rate();
        // Of two parts that one was looked at again that had failed, which is twice as likely.
        let inherited = (2.0 * rate).min(1.0).powi((self.alike - self.own) as i32);
        self.alike >= ALIKE && self.own > 0 && inherited * rate.powi(self.own as i32) <= doubt
    }

    /// Whether it has failed alike often enough to be no accident if the server is there.
    pub(crate) const fn is_alike(&self) -> bool {
        self.alike >= ALIKE
    }

    /// Whether all of those were attempts at this request itself.
    pub(crate) const fn is_alike_itself(&self) -> bool {
        self.own >= ALIKE
    }

    /// Whether one more would be enough.
    pub(crate) const fn is_doubtful(&self) -> bool {
        self.alike + 1 >= ALIKE
    }

    /// Whether the last attempt at this request itself had no answer.
    pub(crate) const fn was_silent(&self) -> bool {
        self.own > 0 && matches!(self.likeness, Some(Likeness::SILENCE))
    }

    /// How many in a row were alike.
    pub(crate) const fn alike(&self) -> u32 {
        self.alike
    }

    pub(crate) const fn failed(&self) -> u32 {
        self.failed
    }

    /// That of a part: what it is suspected of, and nothing that it has done itself.
    pub(crate) const fn inherited(&self) -> Self {
        Self { failed: 0, own: 0, ..*self }
    }
}

impl Likeness {
    /// No answer within the limit of an attempt.
    pub(crate) const SILENCE: Self = Self(0);

    /// Of what was said; numbers in it, which change from one request to the next, do not count.
    pub(crate) fn of(kind: impl Hash, words: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        kind.hash(&mut hasher);
        let words = words.split(|c: char| !c.is_alphanumeric());
        for word in words.filter(|word| !word.contains(|c: char| c.is_ascii_digit())) {
            word.hash(&mut hasher);
        }
        Self(hasher.finish() | 1)
    }
}

/// So many failures that are alike show that they are no accident.
const ALIKE: u32 = 3;
/// How likely an accident may be for a batch to be halved, which costs two requests.
const HALVES: f64 = 2e-2;
/// How likely it may be for an input to be given up, which costs its vector.
const GIVES_UP: f64 = 1e-6;
/// The same where the server has answered, with something else than a vector.
const GIVES_UP_ANSWERED: f64 = 1e-4;
