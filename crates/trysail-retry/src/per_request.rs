use std::time::Duration;

use trysail_core::{Always, Limit, Replay, Select};

use crate::Budget;

/// What a retry asks for each request: how a copy is made, how long all of it may take, and which budget pays.
#[derive(Clone, Copy, Debug)]
pub struct PerRequest<R = Always, L = Duration, G = Budget> {
    pub(crate) replay: R,
    pub(crate) within: Option<L>,
    pub(crate) budget: Option<G>,
}

impl<Req, R, L, G> Replay<Req> for PerRequest<R, L, G>
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

impl<Req, R, L, G> Select<Req, Budget> for PerRequest<R, L, G>
where
    G: Select<Req, Budget>,
{
    type Selection = G::Selection;

    #[inline]
    fn select(&self, request: &Req) -> G::Selection {
        self.budget.as_ref().map_or_else(G::Selection::default, |budget| budget.select(request))
    }

    #[inline]
    fn selected<'a>(&'a self, selection: &'a G::Selection) -> Option<&'a Budget> {
        self.budget.as_ref().and_then(|budget| budget.selected(selection))
    }
}
