use alloc::boxed::Box;
use core::{error::Error, fmt, marker::PhantomData, ops::Deref};

use crate::{Classified, Verdict};

/// A verdict and the cause it was made of, as one link in a chain of errors.
///
/// Every error that carries one has it for its [`source`](Error::source): a concrete type, which is found whatever is
/// boxed around it, and whose own source is the cause. It is only ever lent, so no wrapper that hides its own link can
/// hide this one.
pub struct Judged {
    verdict: Verdict,
    cause: BoxError,
}

/// The error of a service that gave no answer, with what was made of it.
///
/// Boxed when it is made, so that the verdict survives every box around it; `E` is what it was.
pub struct Unanswered<E = BoxError> {
    judged: Judged,
    error: PhantomData<fn() -> E>,
}

impl Judged {
    /// What went wrong, as it came.
    pub fn cause(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.cause
    }
}

impl<E> Unanswered<E> {
    /// `error`, which was judged to be `verdict`.
    pub fn new(verdict: Verdict, error: E) -> Self
    where
        E: Into<BoxError>,
    {
        Self { judged: Judged { verdict, cause: error.into() }, error: PhantomData }
    }

    /// The same with another type's name, since it is boxed anyway.
    pub fn untyped(self) -> Unanswered {
        Unanswered { judged: self.judged, error: PhantomData }
    }

    /// The error alone.
    pub fn into_cause(self) -> BoxError {
        self.judged.cause
    }
}

impl<E> Unanswered<E>
where
    E: Error + Send + Sync + 'static,
{
    /// The error as it came.
    pub fn error(&self) -> &E {
        self.judged.cause.downcast_ref().expect("only an `E` makes one, and boxes as itself")
    }

    /// The error as it came.
    pub fn into_error(self) -> E {
        *self.judged.cause.downcast().expect("only an `E` makes one, and boxes as itself")
    }
}

impl<E> Deref for Unanswered<E> {
    type Target = Judged;

    fn deref(&self) -> &Judged {
        &self.judged
    }
}

impl<E> Classified for Unanswered<E> {
    fn verdict(&self) -> Verdict {
        self.judged.verdict
    }
}

impl<E> fmt::Debug for Unanswered<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.judged.fmt(f)
    }
}

impl Classified for Judged {
    fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl fmt::Debug for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judged").field("verdict", &self.verdict).field("cause", &self.cause).finish()
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.verdict, f)
    }
}

impl Error for Judged {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

type BoxError = Box<dyn Error + Send + Sync>;
