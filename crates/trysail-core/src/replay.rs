use core::time::Duration;

/// Says whether a request may be sent again, and makes the copy.
///
/// Every `Fn(&Req) -> Option<Req>` is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot repeat `{Req}`",
    note = "make the request `Clone`, as one over HTTP is if its body is (`Full<Bytes>`, say), or pass `.replay(|request: &{Req}| -> Option<{Req}> {{ … }})`"
)]
pub trait Replay<Req> {
    /// A copy for a later attempt; `None` means that the request must never be sent twice.
    fn replay(&self, request: &Req) -> Option<Req>;

    /// A copy for another server than the one that `request` goes to; `None` means that no other must see it.
    ///
    /// Unlike a repetition, it is no affair of an outer retry's, whose mark may be on it.
    fn divert(&self, request: &Req) -> Option<Req> {
        self.replay(request)
    }

    /// Marks `request` as the `attempt`th, counted from 1; called before every attempt, the first included, of a request
    /// that may be repeated.
    fn mark(&self, request: &mut Req, attempt: u32) {
        let _ = (request, attempt);
    }

    /// The time that `request` has left by itself.
    fn left(&self, request: &Req) -> Option<Duration> {
        let _ = request;
        None
    }
}

#[diagnostic::do_not_recommend]
impl<F, Req> Replay<Req> for F
where
    F: Fn(&Req) -> Option<Req>,
{
    fn replay(&self, request: &Req) -> Option<Req> {
        self(request)
    }
}

/// Repeats every request by cloning it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Always;

#[diagnostic::do_not_recommend]
impl<Req: Clone> Replay<Req> for Always {
    fn replay(&self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}
