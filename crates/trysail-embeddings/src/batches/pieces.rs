mod settle;

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    ops::Range,
    sync::Arc,
    time::Duration,
};

use trysail_core::Verdict;

use super::{BatchError, family::Family, trial::Trial};
use crate::{
    EmbedError, EmbedRequest, EmbedResponse,
    capacity::{Capacity, Room, Unit},
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
    /// An input that was answered.
    canary: Option<EmbedRequest>,
    divided: u64,
    is_answered: bool,
    /// How many inputs were asked for alone to find out whether all are refused.
    forms: usize,
    /// Single inputs since the last answer.
    refused_in_a_row: usize,
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
            canary: None,
            divided: 0,
            is_answered: false,
            forms: 0,
            refused_in_a_row: 0,
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
            let Some(request) = self.start(at, concurrency) else { continue };
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
                // That of a single input from among others may be what was wrong with it.
                let alone = piece.family.is_some() && inputs.len() == 1;
                let others = || self.pieces.values().find_map(Piece::dimensions).filter(|_| alone);
                let expected = self.dimensions.or_else(others).unwrap_or(found);
                self.dimensions = Some(expected);
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
    fn start(&mut self, at: usize, concurrency: usize) -> Option<EmbedRequest> {
        let forms_left = self.trial.most_sent(concurrency).saturating_sub(self.sent) < FORMS;
        let piece = self.pieces.get_mut(&at)?;
        let fits = |capacity: &Arc<Capacity>| capacity.takes(&piece.request);
        // A part is sent as it is: what speaks against it may be the fault of an input in another.
        if piece.request.len() > 1 && piece.family.is_none() && !self.capacity.as_ref().is_none_or(fits) {
            self.divide(at, None, false);
            return None;
        }
        if forms_left && piece.request.len() == 1 {
            // The last before the end ask in another form, should that be what is refused.
            self.forms += 1;
            piece.request.ask_in_later_form(self.forms % FORMS);
            piece.tried = true;
        }
        self.due[usize::from(piece.suspect)].remove(&at);
        self.suspects_in_flight += usize::from(piece.suspect);
        self.sent += 1;
        piece.state = State::InFlight;
        if let (Some(notes), Some(canary)) = (piece.request.notes(), &self.canary) {
            _ = notes.canary.set(canary.clone());
        }
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
    pub(super) fn refute(&mut self) {
        self.trial = Trial::Refuted;
        let mut refused = Vec::new();
        for (at, piece) in &mut self.pieces {
            piece.tried = false;
            piece.state = match mem::replace(&mut piece.state, State::Unsent) {
                State::Held(Some(error)) if piece.request.len() > 1 => {
                    refused.push(*at);
                    State::Held(Some(error))
                }
                State::Held(Some(error)) => State::Over(Err(error)),
                State::Held(None) => {
                    self.due[usize::from(piece.suspect)].insert(*at);
                    State::Due
                }
                other => other,
            };
        }
        for at in refused {
            self.divide(at, Some(Unit::Inputs), false);
        }
    }
}

impl<E> Piece<E> {
    /// Of its vectors, if they are there and not those of a single input from among others.
    fn dimensions(&self) -> Option<usize> {
        match &self.state {
            State::Over(Ok(answer)) if self.family.is_none() || self.request.len() > 1 => Some(answer.dimensions()),
            _ => None,
        }
    }

    const fn is_under_way(&self) -> bool {
        matches!(self.state, State::Due | State::InFlight)
    }
}

/// Base64, numbers, and neither.
const FORMS: usize = 3;
