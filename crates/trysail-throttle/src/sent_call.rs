use trysail_core::{Class, Lesson, Verdict};

use crate::{
    Pace,
    fare::{Fare, Places},
    heard::Heard,
};

/// Makes sure that the pace hears of a call that was sent, however that ends.
#[derive(Debug)]
pub(crate) struct SentCall {
    /// `None` once it has heard, and for a call that keeps none.
    pace: Option<Pace>,
    fare: Fare,
}

impl SentCall {
    #[inline]
    pub(crate) const fn new(pace: Pace, fare: Fare) -> Self {
        Self { pace: Some(pace), fare }
    }

    /// Of a call that has taken nothing.
    #[inline]
    pub(crate) const fn free(pace: Pace, epoch: u32) -> Self {
        Self { pace: Some(pace), fare: Fare { epoch, places: Places::NONE, taken: None } }
    }

    /// Of a call that keeps no pace, or not yet.
    pub(crate) fn for_none() -> Self {
        Self { pace: None, fare: Fare::default() }
    }

    #[inline]
    pub(crate) fn settle(&mut self, verdict: Verdict, lesson: impl FnOnce() -> Lesson) {
        if let Some(pace) = self.pace.take() {
            let lesson = lesson();
            pace.learn(&self.fare, lesson);
            match verdict.class() {
                Class::Success => pace.succeed(&self.fare, lesson.cost),
                _ => pace.settle(&self.fare, Heard::of(verdict), lesson.cost),
            }
        }
    }

    #[cold]
    fn abandon(&mut self) {
        if let Some(pace) = self.pace.take() {
            pace.settle(&self.fare, Heard::Abandoned, None);
        }
    }
}

impl Drop for SentCall {
    #[inline]
    fn drop(&mut self) {
        if self.pace.is_some() {
            self.abandon();
        }
    }
}
