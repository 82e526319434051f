//! What a failover logs: each step to another member, and each member that does not fit.

#[cfg(feature = "tracing")]
pub(crate) use on::{failover, misfit};

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{failover, misfit};

#[cfg(feature = "tracing")]
mod on {
    use tracing::{debug, warn};
    use trysail_core::Verdict;

    const TARGET: &str = "trysail::failover";

    pub(crate) fn failover(member: usize, verdict: Verdict) {
        debug!(target: TARGET, member, class = %verdict.class(), hint = ?verdict.retry_after(), "failover");
    }

    pub(crate) fn misfit(member: usize, verdict: Verdict) {
        warn!(target: TARGET, member, class = %verdict.class(), "member does not fit");
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use trysail_core::Verdict;

    pub(crate) const fn failover(_: usize, _: Verdict) {}

    pub(crate) const fn misfit(_: usize, _: Verdict) {}
}
