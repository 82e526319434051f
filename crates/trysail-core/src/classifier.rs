use alloc::sync::Arc;

use crate::Verdict;

/// Judges the outcome of one attempt.
///
/// Every `Fn(Result<&Res, &Err>) -> Verdict` is one; write the argument's type out in a closure, so that it is one
/// for every lifetime: `|outcome: Result<&Answer, &Error>| …`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not judge outcomes of `{Res}` and `{Err}`",
    note = "`Inherit`, the default of retry and breaker, wants errors that were judged: put a `ClassifyLayer` below this layer",
    note = "to judge here, pass a closure `|outcome: Result<&{Res}, &{Err}>| -> Verdict`",
    note = "a judge of HTTP answers may want them whole: put a `CollectLayer` below the `ClassifyLayer`"
)]
pub trait Classifier<Res, Err> {
    /// Judges `outcome`.
    fn classify(&self, outcome: Result<&Res, &Err>) -> Verdict;

    /// The number by which `response` says how it went, an HTTP status say, for a [`Failure`](crate::Failure) to name.
    fn status(&self, response: &Res) -> Option<u16> {
        let _ = response;
        None
    }
}

#[diagnostic::do_not_recommend]
impl<F, Res, Err> Classifier<Res, Err> for F
where
    F: Fn(Result<&Res, &Err>) -> Verdict,
{
    fn classify(&self, outcome: Result<&Res, &Err>) -> Verdict {
        self(outcome)
    }
}

impl<C, Res, Err> Classifier<Res, Err> for Arc<C>
where
    C: Classifier<Res, Err> + ?Sized,
{
    fn classify(&self, outcome: Result<&Res, &Err>) -> Verdict {
        (**self).classify(outcome)
    }

    fn status(&self, response: &Res) -> Option<u16> {
        (**self).status(response)
    }
}

/// An error that has been judged already.
#[diagnostic::on_unimplemented(
    message = "the error `{Self}` carries no verdict",
    note = "put a `ClassifyLayer` below this layer, or implement `Classified` for `{Self}`"
)]
pub trait Classified {
    /// The judgement.
    fn verdict(&self) -> Verdict;
}

impl Classified for Verdict {
    fn verdict(&self) -> Verdict {
        *self
    }
}

/// The default judge: an answer is a success, and an error is what was judged below.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inherit;

impl<Res, Err> Classifier<Res, Err> for Inherit
where
    Err: Classified,
{
    fn classify(&self, outcome: Result<&Res, &Err>) -> Verdict {
        outcome.map_or_else(Classified::verdict, |_| Verdict::SUCCESS)
    }
}
