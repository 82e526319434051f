//! What became of a batch.

use std::time::Duration;

use trysail::{Class, EmbedResponse, RetryReport};

use crate::{batch::Batch, reason::Reason, source::Place, space::Space};

/// A batch that is done with.
pub(crate) struct Finished {
    pub(crate) batch: Batch,
    /// What became of its texts, in their order: one piece, unless the batch was too much at once.
    pub(crate) pieces: Vec<Piece>,
    /// What was asked for them, one call after the other.
    pub(crate) calls: Vec<Call>,
}

/// Texts that travelled together to the end.
pub(crate) struct Piece {
    pub(crate) texts: usize,
    pub(crate) attempts: u32,
    pub(crate) outcome: Result<EmbedResponse, Reason>,
}

/// A call, and how long it took.
pub(crate) struct Call {
    pub(crate) report: RetryReport,
    pub(crate) took: Duration,
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
    /// Makes errors of answers whose vectors do not lie in `space`.
    pub(crate) fn hold_to(&mut self, space: &mut Space) {
        for piece in &mut self.pieces {
            let Ok(response) = &piece.outcome else { continue };
            if let Err(message) = space.admit(response.dimensions(), model(response)) {
                piece.outcome = Err(Reason { class: Class::Malformed.as_str(), message });
            }
        }
    }

    /// Each line with its vector, or why it has none.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&Place, Result<Vector<'_>, Failed<'_>>)> {
        let mut texts = self.pieces.iter().flat_map(Piece::texts);
        self.batch.places.iter().map(move |(place, flaw)| {
            let line = match flaw {
                Some(flaw) => Err(Failed { class: "permanent", message: flaw.as_str(), attempts: 0 }),
                None => texts.next().expect("each text is in a piece"),
            };
            (place, line)
        })
    }
}

impl Piece {
    fn texts(&self) -> impl Iterator<Item = Result<Vector<'_>, Failed<'_>>> {
        let mut vectors = self.outcome.iter().flat_map(EmbedResponse::vectors);
        (0..self.texts).map(move |_| match &self.outcome {
            Ok(response) => {
                let numbers = vectors.next().expect("the answer holds a vector of each text");
                Ok(Vector { numbers, model: model(response) })
            }
            Err(Reason { class, message }) => Err(Failed { class, message, attempts: self.attempts }),
        })
    }
}

/// Who has answered, if the server says so.
fn model(response: &EmbedResponse) -> Option<&str> {
    response.model().filter(|model| !model.is_empty())
}
