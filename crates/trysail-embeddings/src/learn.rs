//! What a service learns from the attempts at a request, and what follows from it for the next.

use std::sync::Arc;

use trysail_core::{Class, Classified, Retryable};

use crate::{
    EmbedError, EmbedRequest, EmbedResponse,
    request::history::{Likeness, Told},
    service::Shared,
};

impl Shared {
    /// Why a request is not sent, since what is known of the server speaks against it.
    pub(crate) fn refuse(&self, request: &EmbedRequest) -> Option<EmbedError> {
        let notes = request.notes()?;
        notes.capacity.get_or_init(|| Arc::clone(&self.capacity));
        let mut attempts = notes.attempts();
        let (history, told) = &mut *attempts;
        *told = Told::Nothing;
        let divisible = request.len() > 1;
        if history.was_silent() {
            if divisible {
                // The server may still be busy with it, so this comes after the pause that follows a failed attempt.
                self.capacity.late(request.len());
            } else if history.others_are_answered() && history.is_no_accident(1, false, &self.capacity) {
                *told = Told::Suspect;
                return Some(EmbedError::silence().blamed(history.alike()));
            }
        }
        let room = self.capacity.exceeded_by(request).filter(|_| divisible)?;
        *told = Told::Cut;
        Some(EmbedError::too_much(room))
    }

    /// What to ask for first, to find out whether the server is there, where a request keeps failing, or may do so for one of
    /// its inputs: an input that was answered before, or else one of its own.
    pub(crate) fn probe(&self, request: &EmbedRequest) -> Option<EmbedRequest> {
        let notes = request.notes()?;
        let (history, _) = *notes.attempts();
        let doubtful = history.is_doubtful() && !history.others_will_be_answered(&self.capacity);
        if let Some(canary) = notes.canary.get() {
            let asks = doubtful || self.capacity.is_in_doubt();
            return asks.then(|| canary.clone().in_time_of(request));
        }
        if !doubtful {
            return None;
        }
        // Another each time, since the one may be to blame.
        let at = scattered(history.failed(), request.len());
        (request.len() > 1).then(|| request.part(at..at + 1, 1))
    }

    /// A request was answered.
    pub(crate) fn answered(&self, request: &EmbedRequest, answer: &EmbedResponse) {
        let failed = request.notes().map_or(0, |notes| notes.attempts().0.failed());
        self.capacity.answer(request, failed, answer.tokens());
    }

    /// The server is there, and answers what was `asked` before a request.
    pub(crate) fn probe_answered(&self, request: &EmbedRequest, asked: &EmbedRequest) {
        self.capacity.sign_of_life();
        if let Some(notes) = request.notes() {
            _ = notes.canary.set(asked.clone());
        }
    }

    /// What went before a request has failed; that says nothing about the request itself.
    pub(crate) fn probe_failed(&self, request: &EmbedRequest) {
        let Some(notes) = request.notes() else { return };
        notes.attempts().0.fail_unasked();
        if notes.canary.get().is_some() {
            self.capacity.accident();
        }
    }

    /// An attempt at a request was given up before there was an answer.
    pub(crate) fn abandoned(&self, request: &EmbedRequest) {
        if let Some(notes) = request.notes() {
            notes.attempts().0.fail(Likeness::SILENCE, &self.capacity);
        }
    }

    /// An attempt at a request has failed; what that comes to, all attempts considered.
    pub(crate) fn failed(&self, error: EmbedError, request: &EmbedRequest) -> EmbedError {
        let Some(notes) = request.notes() else { return error };
        let mut attempts = notes.attempts();
        let (history, told) = &mut *attempts;
        *told = match error.limit() {
            Some(limit) if self.capacity.name(limit, request) => Told::Cut,
            _ => error.told(),
        };
        // A firewall that may mean one input speaks of no credential.
        if may_be_of_one(&error, *told) {
            return error.neutral();
        }
        let verdict = error.verdict();
        let passes =
            matches!(verdict.class(), Class::Transient | Class::Malformed) && verdict.retry() == Retryable::Yes;
        if *told != Told::Nothing || !passes {
            return error;
        }
        let likeness = error.likeness();
        history.fail(likeness, &self.capacity);
        let flaw = error.flaw().filter(|flaw| flaw.is_of_vectors() && history.is_alike());
        let no_accident = history.is_no_accident(request.len(), flaw.is_some(), &self.capacity);
        let blames = history.others_are_answered() && no_accident;
        // Where nothing ever was answered, only the flaw can be looked at.
        let never = self.capacity.answered() == 0 && history.is_alike_itself();
        *told = match flaw {
            Some(flaw) if blames || request.len() > 1 || flaw.is_no_accident() || never => Told::Refused(likeness),
            None if blames => Told::Suspect,
            // What does not speak against the server does not open a circuit.
            _ if self.capacity.fails_as_blamed(likeness) => return error.neutral(),
            _ => return error,
        };
        self.capacity.blame(likeness);
        error.blamed(history.alike())
    }
}

/// Whether a caller that is refused may yet be answered other inputs.
fn may_be_of_one(error: &EmbedError, told: Told) -> bool {
    error.verdict().class() == Class::Auth && matches!(told, Told::AllUnlessAnswered(_))
}

/// The places among so many, in an order that soon is everywhere.
pub(crate) fn scattered(turn: u32, places: usize) -> usize {
    // The bits of the turn, mirrored, are a fraction of the whole: a half, a quarter, three quarters, an eighth …
    let fraction = f64::from(turn.reverse_bits()) / f64::from(u32::MAX);
    ((fraction * places as f64) as usize).min(places.saturating_sub(1))
}
