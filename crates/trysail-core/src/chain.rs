//! Verdicts in errors whose type is not known any more.

use alloc::boxed::Box;
use core::{error::Error, iter::successors};

use crate::{Classified, Elapsed, Held, Judged, Open, Verdict};

impl Verdict {
    /// The verdict of the first error in the chain of `error` that has one; whatever was boxed, and however often.
    ///
    /// ```
    /// # use trysail_core::{Failure, Verdict};
    /// let failure: Failure<(), std::fmt::Error> = Failure::unanswered(Verdict::PERMANENT, std::fmt::Error);
    /// let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(std::io::Error::other(failure));
    /// assert_eq!(Verdict::find(&*boxed), Some(Verdict::PERMANENT));
    /// assert_eq!(Verdict::find(&std::fmt::Error), None);
    /// ```
    pub fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        successors(Some(error), |error| (*error).source()).find_map(Self::of)
    }

    /// The verdict that `error` itself carries, whatever its causes say.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        JUDGES.iter().find_map(|judge| judge(error))
    }
}

/// What [`Verdict::find`] finds; transient if there is nothing.
impl Classified for Box<dyn Error + Send + Sync> {
    fn verdict(&self) -> Verdict {
        Verdict::find(&**self).unwrap_or(Verdict::TRANSIENT)
    }
}

fn carried<T: Classified + Error + 'static>(error: &(dyn Error + 'static)) -> Option<Verdict> {
    error.downcast_ref().map(T::verdict)
}

type Judge = fn(&(dyn Error + 'static)) -> Option<Verdict>;

const JUDGES: &[Judge] = &[
    carried::<Verdict>,
    carried::<Judged>,
    carried::<Elapsed>,
    carried::<Open>,
    carried::<Held>,
    #[cfg(feature = "tower")]
    crate::tower::verdict,
];
