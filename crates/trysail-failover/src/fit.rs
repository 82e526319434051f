use std::future::{Future, Ready, ready};

/// Says whether what a member answers may be used: whether it is a member of the family at all.
///
/// Every `Fn(S) -> impl Future<Output = Result<(), E>>` is one. It is given a clone of the member, to ask it something.
/// An error that is permanent, or malformed and not to be asked again, says that the member does not fit; every other one
/// says that this could not be found out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether a member `{S}` fits",
    note = "pass a closure `|member: {S}| async move {{ … }}` whose error is that of the member: `Result<(), {E}>`"
)]
pub trait Fit<S, E> {
    /// What finds it out.
    type Future: Future<Output = Result<(), E>>;

    /// Asks `member`.
    fn fit(&self, member: S) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<F, Fut, S, E> Fit<S, E> for F
where
    F: Fn(S) -> Fut,
    Fut: Future<Output = Result<(), E>>,
{
    type Future = Fut;

    fn fit(&self, member: S) -> Fut {
        self(member)
    }
}

/// Every member fits, and is not asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnyMember;

impl<S, E> Fit<S, E> for AnyMember {
    type Future = Ready<Result<(), E>>;

    fn fit(&self, _: S) -> Self::Future {
        ready(Ok(()))
    }
}
