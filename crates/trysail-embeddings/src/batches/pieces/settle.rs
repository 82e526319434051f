//! What follows from the outcome of a call for the other pieces.

use trysail_core::{Class, Classified, Remedy, Retryable, Verdict};

use super::{FORMS, Piece, Pieces, State};
use crate::{
    EmbedRequest, EmbedResponse,
    batches::{
        family::Family,
        trial::{ENOUGH, Step, Trial},
    },
    capacity::Unit,
    learn::scattered,
    request::history::{Likeness, Told},
};

impl<E: Classified> Pieces<E> {
    /// A call has come to its end.
    pub(in crate::batches) fn settle(&mut self, at: usize, outcome: Result<EmbedResponse, E>, concurrency: usize) {
        let Some(piece) = self.pieces.get_mut(&at) else { return };
        self.suspects_in_flight -= usize::from(piece.suspect);
        if self.capacity.is_none() {
            self.capacity = piece.request.notes().and_then(|notes| notes.capacity.get()).cloned();
        }
        if self.canary.is_none() {
            self.canary = piece.request.notes().and_then(|notes| notes.canary.get()).cloned();
        }
        let error = match outcome {
            Ok(answer) => return self.answer(at, answer),
            Err(error) => error,
        };
        let (inputs, tried, verdict) = (piece.request.len(), piece.tried, error.verdict());
        let asked = verdict.retry_after().filter(|_| verdict.class() != Class::Refused);
        let told = match (asked, piece.patience) {
            // The others would be told the same.
            (Some(asked), Some(patience)) if asked > patience => Told::All,
            _ => told(&piece.request, verdict),
        };
        let single = inputs < 2;
        if self.ended.is_some() {
            return self.fail(at, error);
        }
        if single && !matches!(told, Told::Nothing | Told::Suspect) && self.is_one_too_many() {
            return self.fail_all(at, error);
        }
        match told {
            Told::All => self.fail_all(at, error),
            Told::AllUnlessAnswered(_) if self.trial != Trial::Refuted => {
                self.trial = Trial::Last;
                self.hold(at, error);
                self.end_if_last(at, verdict);
            }
            Told::AllUnlessAnswered(_) | Told::Refused(_) if self.trial == Trial::Refuted => match single {
                true => self.fail(at, error),
                // A flaw is asked for again, which takes time.
                false => self.divide(at, Some(Unit::Inputs), verdict.class() == Class::Malformed),
            },
            Told::Refused(_) | Told::TooMuch(_) | Told::TooLong if self.trial == Trial::Last => {
                self.hold(at, error);
                self.end_if_last(at, verdict);
            }
            Told::AllUnlessAnswered(likeness) | Told::Refused(likeness) => {
                let step = self.trial.refuse(likeness, inputs, tried, concurrency);
                self.step(at, step, error, concurrency);
            }
            Told::Cut => self.divide(at, None, false),
            Told::TooMuch(unit) => self.narrow(at, Some(unit), error),
            Told::TooLong => self.narrow(at, None, error),
            Told::Suspect => {
                self.refute();
                match single {
                    true => self.fail(at, error),
                    false => self.divide(at, Some(Unit::Inputs), true),
                }
            }
            Told::Nothing => {
                self.fail(at, error);
                match self.trial {
                    Trial::Last => self.end_if_last(at, verdict),
                    _ if tried => self.refute(),
                    _ => {}
                }
            }
        }
    }

    /// Ends it if nothing is in flight that may be answered yet.
    fn end_if_last(&mut self, at: usize, why: Verdict) {
        if !self.pieces.values().any(|piece| matches!(piece.state, State::InFlight)) {
            self.end(at, why);
        }
    }

    fn answer(&mut self, at: usize, answer: EmbedResponse) {
        let found = answer.dimensions();
        let reference = self.dimensions.or_else(|| self.pieces.values().find_map(Piece::dimensions));
        let Some(piece) = self.pieces.get_mut(&at) else { return };
        // A vector of another length is what was wrong with it.
        let fits = reference.is_none_or(|reference| reference == found);
        if let (Some(family), Some(capacity), true) = (&piece.family, &self.capacity, fits) {
            family.answer(piece.request.len(), capacity);
        }
        if self.canary.is_none() {
            self.canary = Some(piece.request.part(0..1, 1));
        }
        piece.state = State::Over(Ok(answer));
        let helped = piece.tried && piece.request.later_form() > 0;
        (self.is_answered, self.refused_in_a_row) = (true, 0);
        if helped {
            self.ask_again();
        }
        if self.trial != Trial::Refuted {
            self.refute();
        }
    }

    /// All that waits is asked for once more as it is, since another form of asking has helped; so what was refused says
    /// nothing about sizes.
    fn ask_again(&mut self) {
        for piece in self.pieces.values_mut() {
            piece.family = None;
            if matches!(piece.state, State::Held(Some(_))) {
                piece.request.ask_in_later_form(0);
                piece.state = State::Held(None);
            }
        }
    }

    fn fail(&mut self, at: usize, error: E) {
        if let Some(piece) = self.pieces.get_mut(&at) {
            piece.state = State::Over(Err(error));
        }
    }

    fn fail_all(&mut self, at: usize, error: E) {
        let why = error.verdict();
        self.fail(at, error);
        self.end(at, why);
    }

    fn hold(&mut self, at: usize, error: E) {
        if let Some(piece) = self.pieces.get_mut(&at) {
            piece.state = State::Held(Some(error));
        }
    }

    /// Does what follows from a refusal before anything was answered.
    fn step(&mut self, at: usize, step: Step, error: E, concurrency: usize) {
        let single = self.pieces.get(&at).is_some_and(|piece| piece.request.len() < 2);
        match step {
            // A single input as well: it is asked for once more, if another form of asking helps.
            Step::Wait => self.hold(at, error),
            Step::Halve if single => {
                self.fail(at, error);
                self.go_on();
            }
            Step::Halve => {
                self.divide(at, Some(Unit::Inputs), false);
                self.try_parts(at, 2);
            }
            Step::Single => {
                let why = error.verdict();
                self.hold(at, error);
                self.ask_alone(at, why, concurrency);
            }
            Step::End => self.fail_all(at, error),
            Step::Refute => {
                match single {
                    true => self.fail(at, error),
                    false => self.hold(at, error),
                }
                self.refute();
            }
        }
    }

    /// Sends an input of each half alone, and then others, as many as there may be requests before the end. They ask in
    /// another form as well, should that be what is refused.
    fn ask_alone(&mut self, at: usize, why: Verdict, concurrency: usize) {
        let left = (ENOUGH + concurrency).saturating_sub(self.sent);
        let several = |piece: &Piece<E>| piece.request.len() > 1;
        let halves = |piece: &Piece<E>| several(piece) && piece.tried && matches!(piece.state, State::Held(Some(_)));
        let rest = |piece: &Piece<E>| piece.family.is_some() && matches!(piece.state, State::Held(None));
        let all = |is: &dyn Fn(&Piece<E>) -> bool| {
            let found = self.pieces.iter().filter(|(_, piece)| is(piece));
            let mut found: Vec<_> = found.map(|(at, piece)| (piece.request.len(), *at)).collect();
            found.sort_unstable_by(|a, b| b.cmp(a));
            found
        };
        let mut larger = all(&halves);
        if larger.is_empty() {
            larger = all(&rest);
            larger.truncate(left.min(2));
        }
        if larger.is_empty() {
            // Two inputs may both be to blame, but not another batch with them.
            let others = self.pieces.values().any(|piece| !piece.tried && matches!(piece.state, State::Held(Some(_))));
            let enough = others || left == 0 || self.sent > ENOUGH;
            return if enough { self.end(at, why) } else { self.trial.ask_another() };
        }
        self.trial.ask_alone(larger.len());
        for (inputs, at) in larger {
            let Some(Piece { request, patience, family, .. }) = self.pieces.remove(&at) else { continue };
            let family = Some(Family::new(&request, Unit::Inputs, family));
            let alone = scattered(self.sent as u32, inputs);
            let parts = [(0..alone, false), (alone..alone + 1, true), (alone + 1..inputs, false)];
            for (number, (range, tried)) in (1..).zip(parts).filter(|(_, (range, _))| !range.is_empty()) {
                let (at, part) = (at + range.start, request.part(range, number));
                self.forms += usize::from(tried);
                part.ask_in_later_form(if tried { self.forms % FORMS } else { 0 });
                let state = if tried { State::Due } else { State::Held(None) };
                let family = family.clone();
                self.insert(at, Piece { request: part, patience, family, suspect: false, tried, state });
            }
        }
    }

    /// Nobody is left who could say more about what waits: one of it is asked for in other forms, if that was not tried, or
    /// else all goes on.
    pub(in crate::batches) fn go_on_alone(&mut self) {
        let is_refused = |piece: &Piece<E>| matches!(&piece.state, State::Held(Some(error)) if error.verdict().class() == Class::Permanent);
        let untried = !self.is_answered && !self.is_ended() && self.forms + 1 < FORMS;
        let Some((at, piece)) = self.pieces.iter_mut().find(|(_, piece)| untried && is_refused(piece)) else {
            return self.refute();
        };
        self.forms += 1;
        piece.request.ask_in_later_form(self.forms);
        (piece.tried, piece.state) = (true, State::Due);
        self.due[usize::from(piece.suspect)].insert(*at);
    }

    /// Whether so many single inputs have been refused since the last answer that all will be.
    fn is_one_too_many(&mut self) -> bool {
        self.refused_in_a_row += 1;
        let most = if self.is_answered { MOST_REFUSED } else { MOST_REFUSED_AT_FIRST };
        self.refused_in_a_row >= most
    }

    /// It was too much, or holds something too long.
    fn narrow(&mut self, at: usize, unit: Option<Unit>, error: E) {
        let Some(piece) = self.pieces.get_mut(&at) else { return };
        let (single, tried) = (piece.request.len() < 2, piece.tried);
        if let (Some(capacity), Some(unit)) = (&self.capacity, unit) {
            match single {
                // It was not the size of those that it came from.
                true => capacity.pardon(unit),
                // Later it is known only once all its parts are answered.
                false if self.trial != Trial::Refuted => capacity.refuse(unit, unit.of(&piece.request)),
                false => {}
            }
        }
        match self.trial {
            Trial::Refuted if single => self.fail(at, error),
            _ if single => {
                self.fail(at, error);
                self.go_on();
            }
            Trial::Refuted => self.divide(at, Some(unit.unwrap_or(Unit::Inputs)), false),
            Trial::Narrowing | Trial::Halves { .. } if !tried => self.hold(at, error),
            _ => {
                self.trial = Trial::Narrowing;
                self.divide(at, Some(unit.unwrap_or(Unit::Inputs)), false);
                self.try_parts(at, 1);
            }
        }
    }

    /// So many of the parts from that place on are sent to find out, the others wait.
    fn try_parts(&mut self, at: usize, most: usize) {
        let mut left = most;
        for (at, piece) in self.pieces.range_mut(at..) {
            if !matches!(piece.state, State::Due) || piece.family.is_none() {
                continue;
            }
            piece.tried = left > 0;
            if left == 0 {
                piece.state = State::Held(None);
                self.due.iter_mut().for_each(|due| _ = due.remove(at));
            }
            left = left.saturating_sub(1);
        }
    }

    /// What was tried is over, and nothing is answered: the next that waits is tried.
    fn go_on(&mut self) {
        if self.trial != Trial::Narrowing || self.pieces.values().any(|piece| piece.tried && piece.is_under_way()) {
            return;
        }
        let waits = |piece: &&mut Piece<E>| matches!(piece.state, State::Held(None));
        match self.pieces.iter_mut().map(|(at, piece)| (*at, piece)).find(|(_, piece)| waits(piece)) {
            Some((at, piece)) => {
                (piece.tried, piece.state) = (true, State::Due);
                self.due[usize::from(piece.suspect)].insert(at);
            }
            None => self.refute(),
        }
    }
}

/// What the failure of a request means for its parts.
fn told(request: &EmbedRequest, verdict: Verdict) -> Told {
    if verdict.retry() != Retryable::No || verdict.class() == Class::Refused {
        return Told::Nothing;
    }
    match request.notes() {
        Some(notes) if notes.capacity.get().is_some() => notes.attempts().1,
        // Some other service, which says no more than this.
        _ => match (verdict.class(), verdict.remedy()) {
            (Class::Auth | Class::QuotaExhausted, _) => Told::All,
            (_, Some(Remedy::Split)) => Told::TooMuch(Unit::Inputs),
            (_, Some(Remedy::Truncate)) => Told::TooLong,
            (Class::Permanent, _) => Told::Refused(Likeness::of(verdict, "")),
            _ => Told::Nothing,
        },
    }
}

/// So many single inputs refused one after the other are no matter of one input.
const MOST_REFUSED: usize = 64;
/// The same, where nothing ever was answered.
const MOST_REFUSED_AT_FIRST: usize = 16;
