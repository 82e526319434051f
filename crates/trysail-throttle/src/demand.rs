use std::time::Duration;

use trysail_core::{Learn, Lesson, Limit};

/// Says what a request costs, in the unit of the pace's [rate of cost](crate::PaceSettings::cost): tokens, inputs, bytes.
///
/// Every closure over the request that returns a `u64` is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what a request `{Req}` costs",
    note = "pass a closure `|request: &{Req}| -> u64`, or a type that implements `Cost`"
)]
pub trait Cost<Req: ?Sized> {
    /// What `request` costs, or is likely to.
    fn cost(&self, request: &Req) -> u64;
}

/// Every request costs one.
#[derive(Clone, Copy, Debug, Default)]
pub struct One;

impl<Req: ?Sized> Cost<Req> for One {
    fn cost(&self, _: &Req) -> u64 {
        1
    }
}

#[diagnostic::do_not_recommend]
impl<Req, F> Cost<Req> for F
where
    Req: ?Sized,
    F: Fn(&Req) -> u64,
{
    fn cost(&self, request: &Req) -> u64 {
        self(request)
    }
}

/// Nothing is learnt from an outcome.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl<Res, Err> Learn<Res, Err> for Nothing {
    #[inline]
    fn learn(&self, _: Result<&Res, &Err>) -> Lesson {
        Lesson::default()
    }
}

/// What a throttle asks of each call: what it costs, how long it may wait, and what is learnt from its end.
#[derive(Clone, Copy, Debug)]
pub struct Demand<W = One, L = Duration, N = Nothing> {
    pub(crate) cost: W,
    pub(crate) most: L,
    pub(crate) learn: N,
}

impl<W, L, N> Demand<W, L, N> {
    /// What `request` costs, and how long it may wait; for ever, if it is `None`.
    pub(crate) fn of<Req>(&self, request: &Req) -> (u64, Option<Duration>)
    where
        W: Cost<Req>,
        L: Limit<Req>,
    {
        let most = [self.most.limit(request), self.most.left(request)].into_iter().flatten().min();
        (self.cost.cost(request), most)
    }
}
