use std::{borrow::Cow, error::Error, fmt};

use trysail_core::Verdict;

/// What stands in the way of an answer, and what to do, in a person's words.
#[derive(Debug)]
pub(crate) struct Obstacle {
    words: Cow<'static, str>,
    verdict: Verdict,
}

impl Obstacle {
    /// One that stands there however often it is tried, and says nothing about the server.
    pub(crate) fn new(words: impl Into<Cow<'static, str>>) -> Self {
        Self { words: words.into(), verdict: Verdict::PERMANENT.neutral() }
    }

    /// One of another kind.
    pub(crate) fn judged(self, verdict: Verdict) -> Self {
        Self { verdict, ..self }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Error for Obstacle {
    // A cause stands in the words; in the chain that of a proxy would be taken for the server's.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.verdict)
    }
}
