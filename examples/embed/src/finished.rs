//! What became of lines.

use trysail::EmbedResponse;

use crate::{feed::Mark, reason::Reason, source::Place};

/// Lines that are done with.
pub(crate) struct Finished {
    /// Each of them; those without a flaw have been sent together.
    pub(crate) lines: Vec<Mark>,
    /// What became of those.
    pub(crate) outcome: Result<EmbedResponse, Reason>,
}

/// Why a line has no vector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed<'a> {
    pub(crate) class: &'static str,
    pub(crate) message: &'a str,
    pub(crate) attempts: u32,
}

impl Finished {
    /// Lines that could not be sent.
    pub(crate) fn unsent(lines: Vec<Mark>) -> Self {
        Self { lines, outcome: Err(Reason::default()) }
    }

    /// Each line with its vector, or why it has none.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&Place, Result<&[f32], Failed<'_>>)> {
        let mut vectors = self.outcome.iter().flat_map(EmbedResponse::vectors);
        self.lines.iter().map(move |Mark { place, flaw, .. }| {
            let line = match (flaw, &self.outcome) {
                (Some(flaw), _) => Err(Failed { class: "permanent", message: flaw.as_str(), attempts: 0 }),
                (None, Ok(_)) => Ok(vectors.next().expect("the answer holds a vector of each line")),
                (None, Err(Reason { class, message, attempts })) => Err(Failed { class, message, attempts: *attempts }),
            };
            (place, line)
        })
    }

    /// How many bytes it took to read them.
    pub(crate) fn read(&self) -> u64 {
        self.lines.iter().map(|mark| mark.read).sum()
    }
}
