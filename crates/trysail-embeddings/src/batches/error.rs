use std::{error::Error, fmt, ops::Range};

use trysail_core::{Classified, Verdict};

/// Why some inputs have no vectors or scores, and which.
#[derive(Clone, Debug)]
pub struct BatchError<E> {
    inputs: Range<usize>,
    error: E,
    what: &'static str,
}

impl<E> BatchError<E> {
    pub(crate) const fn new(inputs: Range<usize>, error: E) -> Self {
        Self { inputs, error, what: "vector" }
    }

    /// The same of scores.
    pub(crate) fn of_scores(self) -> Self {
        Self { what: "score", ..self }
    }

    /// Which inputs were in the batch that failed, counted from 0.
    pub fn inputs(&self) -> Range<usize> {
        self.inputs.clone()
    }

    /// What it failed with.
    pub const fn error(&self) -> &E {
        &self.error
    }

    /// What it failed with.
    pub fn into_error(self) -> E {
        self.error
    }
}

impl<E: Classified> Classified for BatchError<E> {
    fn verdict(&self) -> Verdict {
        self.error.verdict()
    }
}

impl<E: fmt::Display> fmt::Display for BatchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what;
        match (self.inputs.start, self.inputs.len()) {
            (only, 1) => write!(f, "input {only} has no {what}: ")?,
            (first, _) => write!(f, "inputs {first} to {} have no {what}s: ", self.inputs.end.saturating_sub(1))?,
        }
        self.error.fmt(f)
    }
}

impl<E: Error + 'static> Error for BatchError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
