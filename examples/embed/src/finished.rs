//! What became of lines.

use trysail::{Class, EmbedResponse};

use crate::{feed::Mark, reason::Reason, source::Place, space::Space};

/// Lines that are done with.
pub(crate) struct Finished {
    /// Each of them; those without a flaw have been sent together.
    pub(crate) lines: Vec<Mark>,
    /// What became of those.
    pub(crate) outcome: Result<EmbedResponse, Reason>,
}

/// What a line has become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vector<'a> {
    pub(crate) numbers: &'a [f32],
    /// Who has answered, by the server's word.
    pub(crate) model: Option<&'a str>,
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

    /// Makes an error of an answer whose vectors do not lie in `space`.
    pub(crate) fn hold_to(&mut self, space: &mut Space) {
        let Ok(response) = &self.outcome else { return };
        if let Err(message) = space.admit(response.dimensions(), response.model()) {
            self.outcome = Err(Reason { class: Class::Malformed.as_str(), message, attempts: 1 });
        }
    }

    /// Each line with its vector, or why it has none.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&Place, Result<Vector<'_>, Failed<'_>>)> {
        let mut vectors = self.outcome.iter().flat_map(EmbedResponse::vectors);
        self.lines.iter().map(move |Mark { place, flaw, .. }| {
            let line = match (flaw, &self.outcome) {
                (Some(flaw), _) => Err(Failed { class: "permanent", message: flaw.as_str(), attempts: 0 }),
                (None, Ok(answer)) => {
                    let numbers = vectors.next().expect("the answer holds a vector of each line");
                    Ok(Vector { numbers, model: answer.model() })
                }
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
