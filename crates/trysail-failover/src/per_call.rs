use std::time::Duration;

use trysail_core::{Always, Limit, Pay, Replay, Verdict};

/// What a failover asks for each call: how a copy is made, how long all of it may take, and who pays.
#[derive(Clone, Copy, Debug)]
pub struct PerCall<R = Always, L = Duration, G = ()> {
    pub(crate) replay: R,
    pub(crate) within: Option<L>,
    pub(crate) budget: G,
}

/// The copy of a request is one for another server.
impl<Req, R, L, G> Replay<Req> for PerCall<R, L, G>
where
    R: Replay<Req>,
    L: Limit<Req>,
{
    fn replay(&self, request: &Req) -> Option<Req> {
        self.replay.divert(request)
    }

    fn left(&self, request: &Req) -> Option<Duration> {
        let own = self.replay.left(request);
        let Some(within) = &self.within else { return own };
        [own, within.limit(request), within.left(request)].into_iter().flatten().min()
    }
}

impl<R, L, G: Pay> Pay for PerCall<R, L, G> {
    type Charge = G::Charge;

    fn pay(&self, verdict: Verdict) -> Option<G::Charge> {
        self.budget.pay(verdict)
    }

    fn give_back(&self, charge: G::Charge) {
        self.budget.give_back(charge);
    }
}
