use std::{error::Error, fmt, ops::Range};

use trysail_core::{Classified, Verdict};

/// Why some inputs have no vectors or scores, and which.
#[derive(Clone, Debug)]
pub struct BatchError<E> {
    inputs: Range<usize>,
    cause: Cause<E>,
    ends: bool,
    what: &'static str,
}

#[derive(Clone, Debug)]
enum Cause<E> {
    Failed(E),
    /// Something else had ended the run.
    Unsent(Verdict),
}

impl<E> BatchError<E> {
    /// The same of scores.
    pub(crate) fn of_scores(self) -> Self {
        Self { what: "score", ..self }
    }

    pub(crate) const fn failed(inputs: Range<usize>, error: E, ends: bool) -> Self {
        Self { inputs, cause: Cause::Failed(error), ends, what: "vector" }
    }

    pub(super) const fn unsent(inputs: Range<usize>, ended: Verdict) -> Self {
        Self { inputs, cause: Cause::Unsent(ended), ends: false, what: "vector" }
    }

    /// Which inputs they are, counted from 0.
    pub fn inputs(&self) -> Range<usize> {
        self.inputs.clone()
    }

    /// What they failed with; `None` if they were not sent, since an earlier failure had [ended](Self::ends) the run.
    pub const fn error(&self) -> Option<&E> {
        match &self.cause {
            Cause::Failed(error) => Some(error),
            Cause::Unsent(_) => None,
        }
    }

    /// The same.
    pub fn into_error(self) -> Option<E> {
        match self.cause {
            Cause::Failed(error) => Some(error),
            Cause::Unsent(_) => None,
        }
    }

    /// Whether every other input would fail so, and no more are sent.
    pub const fn ends(&self) -> bool {
        self.ends
    }
}

impl<E: Classified> Classified for BatchError<E> {
    fn verdict(&self) -> Verdict {
        match &self.cause {
            Cause::Failed(error) => error.verdict(),
            Cause::Unsent(ended) => *ended,
        }
    }
}

impl<E: fmt::Display> fmt::Display for BatchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what;
        match (self.inputs.start, self.inputs.len()) {
            (only, 1) => write!(f, "input {only} has no {what}: ")?,
            (first, _) => write!(f, "inputs {first} to {} have no {what}s: ", self.inputs.end.saturating_sub(1))?,
        }
        match &self.cause {
            Cause::Failed(error) => error.fmt(f),
            Cause::Unsent(_) => f.write_str("not sent, since an earlier failure has ended the run"),
        }
    }
}

impl<E: Error + 'static> Error for BatchError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Failed(error) => Some(error),
            Cause::Unsent(ended) => Some(ended),
        }
    }
}
