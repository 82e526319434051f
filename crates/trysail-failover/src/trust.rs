use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicU32,
            Ordering::{AcqRel, Acquire},
        },
    },
    time::Duration,
};

use tokio::time::Instant;

/// What is known of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It has to be found out whether it fits: nobody has asked it yet, or it has failed since.
    Unchecked,
    /// It fits.
    Fits,
    /// It does not fit, and is passed over.
    Misfit,
}

/// How far a member is trusted; a success that changes nothing writes nothing.
#[derive(Debug)]
pub(crate) struct Trust {
    /// Its standing, in a term that ends with each failure.
    word: AtomicU32,
    /// Until when a misfit is passed over.
    until: Mutex<Option<Instant>>,
}

/// The time between two failures of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term(u32);

impl Trust {
    pub(crate) const fn new() -> Self {
        Self { word: AtomicU32::new(UNCHECKED), until: Mutex::new(None) }
    }

    pub(crate) fn standing(&self) -> Standing {
        match self.word.load(Acquire) & STANDING {
            FITS => Standing::Fits,
            MISFIT => Standing::Misfit,
            _ => Standing::Unchecked,
        }
    }

    pub(crate) fn term(&self) -> Term {
        Term(self.word.load(Acquire) & !STANDING)
    }

    /// Whether what a call is answered that began in `term` may be used: it fits, and has not failed since.
    #[inline]
    pub(crate) fn holds(&self, term: Term) -> bool {
        self.word.load(Acquire) == term.0 | FITS
    }

    /// It has failed, and may be another when it comes back.
    pub(crate) fn shake(&self) {
        let next = |word: u32| Some((word & !STANDING).wrapping_add(TERM) | UNCHECKED);
        let _ = self.word.fetch_update(AcqRel, Acquire, next);
    }

    /// It was found to fit, unless it has failed meanwhile.
    pub(crate) fn fits(&self, term: Term) {
        self.found(term, FITS);
    }

    /// It was found not to fit, and is passed over until `until`.
    pub(crate) fn misfits(&self, term: Term, until: Option<Instant>) {
        *self.until() = until;
        self.found(term, MISFIT);
    }

    /// Whether it does not fit, and is not to be asked again yet.
    pub(crate) fn is_passed_over(&self, now: impl FnOnce() -> Instant) -> bool {
        self.standing() == Standing::Misfit && self.until().is_none_or(|until| now() < until)
    }

    /// It is asked: of the calls that come when a misfit may be asked again, one is enough.
    pub(crate) fn ask(&self, recheck: Duration, now: impl FnOnce() -> Instant) -> Term {
        if self.standing() == Standing::Misfit {
            *self.until() = now().checked_add(recheck);
        }
        self.term()
    }

    fn found(&self, term: Term, standing: u32) {
        let known = |word: u32| (word & !STANDING == term.0).then_some(term.0 | standing);
        let _ = self.word.fetch_update(AcqRel, Acquire, known);
    }

    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const STANDING: u32 = 3;
const TERM: u32 = 4;
const UNCHECKED: u32 = 0;
const FITS: u32 = 1;
const MISFIT: u32 = 2;

#[cfg(test)]
mod tests;
