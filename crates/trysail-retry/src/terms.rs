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

    #[inline]
    fn left(&self, request: &Req) -> Option<Duration> {
        let own = self.replay.left(request);
        let Some(within) = &self.within else { return own };
        [own, within.limit(request), within.left(request)].into_iter().flatten().min()
    }
}
