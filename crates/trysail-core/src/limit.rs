use core::time::Duration;

/// Says how long a request may take.
///
/// A [`Duration`] is one, and so is any closure over the request that returns a `Duration` or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` sets no limit for `{Req}`",
    note = "a limit is a `Duration`, a closure `|request: &{Req}| -> Option<Duration>`, or a type that implements `Limit`"
)]
pub trait Limit<Req: ?Sized> {
    /// The limit of `request`; `None` is no limit, zero refuses it.
    fn limit(&self, request: &Req) -> Option<Duration>;

    /// The time that `request` has left by itself, whoever set it: the smaller of this and the limit holds.
    fn left(&self, request: &Req) -> Option<Duration> {
        let _ = request;
        None
    }
}

impl<Req: ?Sized> Limit<Req> for Duration {
    fn limit(&self, _: &Req) -> Option<Duration> {
        Some(*self)
    }
}

#[diagnostic::do_not_recommend]
impl<Req, F, D> Limit<Req> for F
where
    Req: ?Sized,
    F: Fn(&Req) -> D,
    D: Into<Option<Duration>>,
{
    fn limit(&self, request: &Req) -> Option<Duration> {
        self(request).into()
    }
}
