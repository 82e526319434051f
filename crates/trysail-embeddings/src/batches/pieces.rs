use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    ops::Range,
    sync::Arc,
    time::Duration,
};

use trysail_core::{Class, Classified, Remedy, Retryable, Verdict};

use super::{
    BatchError,
    family::Family,
    trial::{Step, Trial},
};
use crate::{
    EmbedError, EmbedRequest, EmbedResponse,
    capacity::{Capacity, Room, Unit},
    request::history::{Likeness, Told},
    validate::Flaw,
};

/// Batches and parts of batches between cutting and handing out, by the first of their inputs.
pub(super) struct Pieces<E> {
    pieces: BTreeMap<usize, Piece<E>>,
    /// Those to be sent, by whether they are suspected.
    due: [BTreeSet<usize>; 2],
    suspects_in_flight: usize,
    trial: Trial,
    sent: usize,
    /// Where it ended, and why.
    ended: Option<(usize, Verdict)>,
    capacity: Option<Arc<Capacity>>,
    /// Of the vectors until now.
    dimensions: Option<usize>,
    divided: u64,
}

struct Piece<E> {
    request: EmbedRequest,
    /// How long its batch had when it was cut.
    patience: Option<Duration>,
    family: Option<Arc<Family>>,
    /// It is a part of one that failed again and again while others were answered.
    suspect: bool,
    /// It is sent to find out whether all are refused.
    tried: bool,
    state: State<E>,
}

enum State<E> {
    Due,
    InFlight,
    /// Until something is answered; with why it was refused, if it was sent.
    Held(Option<E>),
    Over(Result<EmbedResponse, E>),
    Unsent,
}

impl<E> Pieces<E> {
    pub(super) fn new() -> Self {
        Self {
            pieces: BTreeMap::new(),
            due: Default::default(),
            suspects_in_flight: 0,
            trial: Trial::default(),
            sent: 0,
            ended: None,
            capacity: None,
            dimensions: None,
            divided: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    pub(super) const fn is_ended(&self) -> bool {
        self.ended.is_some()
    }

    pub(super) fn capacity(&self) -> Option<&Capacity> {
        self.capacity.as_deref()
    }

    pub(super) const fn divided(&self) -> u64 {
        self.divided
    }

    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.pieces.iter().map(|(at, piece)| *at..at + piece.request.len())
    }

    /// Whether another batch may be cut to be sent, where so many calls may be in flight.
    pub(super) fn takes_more(&self, concurrency: usize) -> bool {
        !self.trial.waits() && self.sent < self.trial.most_sent(concurrency)
    }

    /// Whether a batch waits to be sent that nothing speaks against.
    pub(super) fn has_healthy(&self) -> bool {
        !self.due[0].is_empty()
    }

    /// A batch was cut, to be sent.
    pub(super) fn push(&mut self, at: usize, request: EmbedRequest) {
        let state = if self.is_ended() { State::Unsent } else { State::Due };
        let patience = request.own_deadline().map(|deadline| deadline.left());
        self.insert(at, Piece { request, patience, family: None, suspect: false, tried: false, state });
    }

    /// The next to be sent, where so many calls may be in flight; those that are suspected have half of the places as
    /// long as others are to be sent.
    pub(super) fn next(&mut self, concurrency: usize) -> Option<(usize, EmbedRequest)> {
        loop {
            let [healthy, suspects] = &self.due;
            let at = if self.trial.waits() {
                let mut both = healthy.iter().chain(suspects);
                *both.find(|at| self.pieces.get(at).is_some_and(|piece| piece.tried))?
            } else if self.sent >= self.trial.most_sent(concurrency) {
                return None;
            } else {
                let place = healthy.is_empty() || self.suspects_in_flight < (concurrency / 2).max(1);
                let suspect = suspects.first().filter(|_| place);
                *suspect.or(healthy.first())?
            };
            let Some(request) = self.start(at) else { continue };
            return Some((at, request));
        }
    }

    /// What has ended the run, until that is handed out.
    pub(super) fn ended_by(&self) -> Option<&E> {
        match &self.pieces.get(&self.ended?.0)?.state {
            State::Over(Err(error)) => Some(error),
            _ => None,
        }
    }

    /// What can be handed out next, or `None` if it is not there yet.
    pub(super) fn pop(&mut self) -> Option<Result<EmbedResponse, BatchError<E>>>
    where
        E: From<EmbedError>,
    {
        let (at, piece) = self.pieces.pop_first()?;
        let inputs = at..at + piece.request.len();
        Some(match piece.state {
            State::Over(Ok(answer)) => {
                let found = answer.dimensions();
                let expected = *self.dimensions.get_or_insert(found);
                if found == expected {
                    Ok(answer)
                } else {
                    Err(BatchError::failed(
                        inputs,
                        EmbedError::from(Flaw::Dimensions { expected, found }).into(),
                        false,
                    ))
                }
            }
            State::Over(Err(error)) => {
                let ends = self.ended.is_some_and(|(end, _)| end == at);
                Err(BatchError::failed(inputs, error, ends))
            }
            State::Unsent => Err(BatchError::unsent(inputs, self.ended.map_or(Verdict::REFUSED, |(_, why)| why))),
            State::Due | State::InFlight | State::Held(_) => {
                self.pieces.insert(at, piece);
                return None;
            }
        })
    }

    /// Takes what is to be sent, unless it has turned out to be too much.
    fn start(&mut self, at: usize) -> Option<EmbedRequest> {
        let piece = self.pieces.get_mut(&at)?;
        let fits = |capacity: &Arc<Capacity>| capacity.takes(&piece.request);
        // A part is sent as it is: what speaks against it may be the fault of an input in another.
        if piece.request.len() > 1 && piece.family.is_none() && !self.capacity.as_ref().is_none_or(fits) {
            self.divide(at, None, false);
            return None;
        }
        self.due[usize::from(piece.suspect)].remove(&at);
        self.suspects_in_flight += usize::from(piece.suspect);
        self.sent += 1;
        piece.state = State::InFlight;
        Some(piece.request.clone())
    }

    fn insert(&mut self, at: usize, piece: Piece<E>) {
        if matches!(piece.state, State::Due) {
            self.due[usize::from(piece.suspect)].insert(at);
        }
        self.pieces.insert(at, piece);
    }

    /// Puts the parts of a piece in its place; it is known to have two inputs at least.
    fn divide(&mut self, at: usize, refused: Option<Unit>, suspect: bool) {
        let Some(piece) = self.pieces.remove(&at) else { return };
        for due in &mut self.due {
            due.remove(&at);
        }
        self.divided += u64::from(piece.family.is_none() && refused.is_some());
        let family = match refused {
            Some(unit) => Some(Family::new(&piece.request, unit, piece.family)),
            None => piece.family,
        };
        let room = self.capacity.as_ref().map(|capacity| capacity.part_of(&piece.request));
        let (mut at, patience) = (at, piece.patience);
        for request in piece.request.parts(room.unwrap_or(Room::ALL)) {
            let next = at + request.len();
            let suspect = suspect || piece.suspect;
            let state = if self.is_ended() { State::Unsent } else { State::Due };
            self.insert(at, Piece { request, patience, family: family.clone(), suspect, tried: false, state });
            at = next;
        }
    }

    /// Nothing more is sent, for the reason that piece has failed.
    fn end(&mut self, at: usize, why: Verdict) {
        if self.is_ended() {
            return;
        }
        self.ended = Some((at, why));
        self.trial = Trial::Refuted;
        self.due = Default::default();
        for piece in self.pieces.values_mut() {
            piece.state = match mem::replace(&mut piece.state, State::Unsent) {
                State::Due | State::Held(None) => State::Unsent,
                State::Held(Some(error)) => State::Over(Err(error)),
                other => other,
            };
        }
    }

    /// What is refused is about inputs: all that waits goes on.
    fn refute(&mut self) {
        if mem::replace(&mut self.trial, Trial::Refuted) == Trial::Refuted {
            return;
        }
        let held: Vec<_> = self.pieces.iter().filter(|(_, piece)| matches!(piece.state, State::Held(_))).collect();
        let held: Vec<_> = held.into_iter().map(|(at, _)| *at).collect();
        for at in held {
            let Some(piece) = self.pieces.get_mut(&at) else { continue };
            piece.tried = false;
            match &piece.state {
                State::Held(Some(_)) if piece.request.len() > 1 => self.divide(at, Some(Unit::Inputs), false),
                State::Held(Some(_)) => {
                    if let State::Held(Some(error)) = mem::replace(&mut piece.state, State::Unsent) {
                        piece.state = State::Over(Err(error));
                    }
                }
                _ => {
                    piece.state = State::Due;
                    let suspect = usize::from(piece.suspect);
                    self.due[suspect].insert(at);
                }
            }
        }
        for piece in self.pieces.values_mut() {
            piece.tried = false;
        }
    }
}

impl<E: Classified> Pieces<E> {
    /// A call has come to its end.
    pub(super) fn settle(&mut self, at: usize, outcome: Result<EmbedResponse, E>) {
        let Some(piece) = self.pieces.get_mut(&at) else { return };
        self.suspects_in_flight -= usize::from(piece.suspect);
        if self.capacity.is_none() {
            self.capacity = piece.request.notes().and_then(|notes| notes.capacity.get()).cloned();
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
        match told {
            Told::All => self.fail_all(at, error),
            Told::AllUnlessAnswered(_) if self.trial != Trial::Refuted => self.fail_all(at, error),
            Told::AllUnlessAnswered(_) | Told::Refused(_) if self.trial == Trial::Refuted => match single {
                true => self.fail(at, error),
                false => self.divide(at, Some(Unit::Inputs), false),
            },
            Told::AllUnlessAnswered(likeness) | Told::Refused(likeness) => {
                let step = self.trial.refuse(likeness, inputs, tried);
                self.step(at, step, error);
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
                if tried {
                    self.refute();
                }
            }
        }
    }

    fn answer(&mut self, at: usize, answer: EmbedResponse) {
        let Some(piece) = self.pieces.get_mut(&at) else { return };
        let found = answer.dimensions();
        // That of a single input from among others may be what was wrong with it.
        if piece.family.is_none() || piece.request.len() > 1 {
            self.dimensions.get_or_insert(found);
        }
        let fits = self.dimensions == Some(found);
        if let (Some(family), Some(capacity), true) = (&piece.family, &self.capacity, fits) {
            family.answer(piece.request.len(), capacity);
        }
        piece.state = State::Over(Ok(answer));
        self.refute();
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
    fn step(&mut self, at: usize, step: Step, error: E) {
        let single = self.pieces.get(&at).is_some_and(|piece| piece.request.len() < 2);
        match step {
            Step::Wait if single => self.fail(at, error),
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
                match single {
                    true => self.fail(at, error),
                    false => self.hold(at, error),
                }
                self.ask_alone(at, why);
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

    /// Sends the last input of each half alone; what is alone already has been sent.
    fn ask_alone(&mut self, at: usize, why: Verdict) {
        let held =
            |(at, piece): (&usize, &Piece<E>)| (piece.tried && matches!(piece.state, State::Held(_))).then_some(*at);
        let halves: Vec<_> = self.pieces.iter().filter_map(held).collect();
        if halves.is_empty() {
            // Two inputs may both be to blame, but not another batch with them.
            let others = self.pieces.values().any(|piece| matches!(piece.state, State::Held(Some(_))));
            return if others { self.end(at, why) } else { self.trial.ask_another() };
        }
        self.trial.ask_alone(halves.len());
        for at in halves {
            let Some(piece) = self.pieces.remove(&at) else { continue };
            let family = Some(Family::new(&piece.request, Unit::Inputs, piece.family));
            let (all, patience) = (piece.request.len(), piece.patience);
            let last = all - 1;
            let parts =
                [(at, piece.request.part(0..last, 1), false), (at + last, piece.request.part(last..all, 2), true)];
            for (at, request, tried) in parts {
                let state = if tried { State::Due } else { State::Held(None) };
                self.insert(at, Piece { request, patience, family: family.clone(), suspect: false, tried, state });
            }
        }
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

impl<E> Piece<E> {
    const fn is_under_way(&self) -> bool {
        matches!(self.state, State::Due | State::InFlight)
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
