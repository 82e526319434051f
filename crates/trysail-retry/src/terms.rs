use std::time::Duration;

use trysail_core::{Always, Limit, Replay};

/// The terms on which a request is repeated: how a copy is made, and how long all of it may take.
#[derive(Clone, Copy, Debug)]
pub struct Terms<R = Always, L = Duration> {
    pub(crate) replay: R,
    pub(crate) within: Option<L>,
}

impl<Req, R, L> Replay<Req> for Terms<R, L>
where
    R: Replay<Req>,
    L: Limit<Req>,
{
    fn replay(&self, request: &Req) -> Option<Req> {
        self.replay.replay(request)
    }

    fn mark(&self, request: &mut Req, attempt: u32) {
        self.replay.mark(request, attempt);
    }

    fn left(&self, request: &Req) -> Option<Duration> {
        let within = self.within.as_ref();
        [self.replay.left(request), within.and_then(|l| l.limit(request)), within.and_then(|l| l.left(request))]
            .into_iter()
            .flatten()
            .min()
    }
}
