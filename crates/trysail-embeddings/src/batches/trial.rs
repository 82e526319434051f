//! Whether a refusal is about one input, or about what all requests have in common; asked until something is answered.

use crate::request::history::Likeness;

/// What is known of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Trial {
    /// Nothing was refused yet.
    #[default]
    Idle,
    /// Single inputs were refused alike, so many of them.
    Singles { likeness: Likeness, refused: usize },
    /// The halves of a batch are asked for, or inputs of each: so many of them have still to be refused alike.
    Halves { likeness: Option<Likeness>, left: usize },
    /// A batch is made smaller, until a part is answered.
    Narrowing,
    /// One was refused for a reason that all requests have, unless another is answered that is in flight.
    Last,
    /// Something was answered, or the refusals had different reasons.
    Refuted,
}

/// What follows from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Its halves are to be asked for, before all others.
    Halve,
    /// It waits, or is out if it is a single input.
    Wait,
    /// All that was tried is refused: now single inputs, as long as there may be more requests before the end.
    Single,
    /// All requests are refused.
    End,
    /// It is about the input.
    Refute,
}

impl Trial {
    /// A request was refused for so many `inputs`; `tried` if it was asked for to find out.
    pub(super) fn refuse(&mut self, likeness: Likeness, inputs: usize, tried: bool, in_flight: usize) -> Step {
        match self {
            Self::Singles { likeness: before, refused } if inputs > 1 && *before == likeness && *refused >= ENOUGH => {
                Step::End
            }
            Self::Idle | Self::Singles { .. } if inputs > 1 => {
                *self = Self::Halves { likeness: None, left: 2 };
                Step::Halve
            }
            Self::Idle => {
                *self = Self::Singles { likeness, refused: 1 };
                Step::Wait
            }
            Self::Singles { likeness: before, refused } if *before == likeness => {
                *refused += 1;
                if *refused >= ENOUGH + in_flight { Step::End } else { Step::Wait }
            }
            Self::Halves { likeness: before, left } if tried && before.is_none_or(|before| before == likeness) => {
                *before = Some(likeness);
                *left -= 1;
                if *left == 0 { Step::Single } else { Step::Wait }
            }
            Self::Last => Step::Wait,
            Self::Halves { .. } | Self::Narrowing if !tried => Step::Wait,
            Self::Narrowing => Step::Halve,
            _ => Step::Refute,
        }
    }

    /// The halves were single inputs: the next refusal, if it is the same, decides.
    pub(super) const fn ask_another(&mut self) {
        if let Self::Halves { likeness: Some(likeness), .. } = *self {
            *self = Self::Singles { likeness, refused: ENOUGH };
        }
    }

    /// So many inputs are asked for alone.
    pub(super) const fn ask_alone(&mut self, inputs: usize) {
        if let Self::Halves { left, .. } = self {
            *left = inputs;
        }
    }

    /// Whether only what is asked for to find out is sent now.
    pub(super) const fn waits(&self) -> bool {
        matches!(self, Self::Halves { .. } | Self::Narrowing | Self::Last)
    }

    /// How many requests may have been sent until now, of which so many may be in flight at once.
    pub(super) const fn most_sent(&self, in_flight: usize) -> usize {
        match self {
            Self::Singles { .. } => ENOUGH + in_flight,
            _ => usize::MAX,
        }
    }
}

/// So many requests, and one for each that may be in flight, that are refused alike are no chance.
pub(crate) const ENOUGH: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &str) -> Likeness {
        Likeness::of(400, words)
    }

    #[test]
    fn a_batch_its_halves_and_an_input_of_each_are_enough() {
        let mut trial = Trial::default();
        assert_eq!(trial.refuse(words("no"), 64, false, 4), Step::Halve);
        assert_eq!(trial.refuse(words("no"), 64, false, 4), Step::Wait);
        assert_eq!(trial.refuse(words("no"), 32, true, 4), Step::Wait);
        assert_eq!(trial.refuse(words("no"), 32, true, 4), Step::Single);
        trial.ask_alone(2);
        assert_eq!(trial.refuse(words("no"), 1, true, 4), Step::Wait);
        assert!(trial.waits());
        assert_eq!(trial.refuse(words("no"), 1, true, 4), Step::Single);
    }

    #[test]
    fn other_words_are_about_an_input() {
        let mut trial = Trial::default();
        assert_eq!(trial.refuse(words("no"), 2, false, 4), Step::Halve);
        assert_eq!(trial.refuse(words("no"), 1, true, 4), Step::Wait);
        assert_eq!(trial.refuse(words("never"), 1, true, 4), Step::Refute);
    }

    #[test]
    fn single_inputs_are_refused_as_often_as_a_batch_and_its_parts_would_be() {
        let mut trial = Trial::default();
        for refused in 1..8 {
            assert_eq!(trial.refuse(words(&format!("no {refused}")), 1, false, 4), Step::Wait);
        }
        assert_eq!(trial.most_sent(4), 8);
        assert_eq!(trial.refuse(words("no 8"), 1, false, 4), Step::End);
    }
}
