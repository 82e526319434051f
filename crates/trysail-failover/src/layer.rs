use std::time::Duration;

use tower_layer::Layer;
use trysail_core::{Always, Inherit};

use crate::{AnyMember, Failover, PerCall, policy::FailoverPolicy};

/// Asks others where the service it is put around fails: at once, each at most once a call, in their order.
///
/// | what came of a member | the next one is asked |
/// |---|---|
/// | success | no |
/// | permanent: the request is no good | no |
/// | transient, malformed, warming, a limit of time | yes |
/// | throttled, quota exhausted, auth: they speak of the account at this member | yes |
/// | refused, by its open circuit say, or never sent | yes, and it costs nothing |
///
/// If none of them answers, the call fails as the one did that is the soonest to be asked again.
#[derive(Clone, Debug)]
pub struct FailoverLayer<S, F = AnyMember, C = Inherit, P = PerCall> {
    others: Vec<S>,
    policy: FailoverPolicy<F, C, P>,
}

impl<S> FailoverLayer<S> {
    /// Sends *every* request to the next of `others`, whatever being sent to two servers does, and whatever secrets it
    /// carries; say [`replay`](FailoverLayer::replay) to choose.
    ///
    /// Each member is a stack of its own: a circuit, the limit of an attempt, and what is below.
    pub fn new(others: impl IntoIterator<Item = S>) -> Self {
        let per_call = PerCall { replay: Always, within: None, budget: () };
        let policy = FailoverPolicy { fit: AnyMember, judge: Inherit, per_call, recheck: RECHECK };
        Self { others: others.into_iter().collect(), policy }
    }
}

impl<S, F, C, P> FailoverLayer<S, F, C, P> {
    /// Which members may answer: those for a clone of which the future of `fit` is `Ok`. By default all may.
    ///
    /// An error that is permanent, or malformed and not to be repeated, says that a member does not fit; every other one that
    /// this could not be found out ([`Fit`](crate::Fit)).
    ///
    /// The first answer of each member is kept back until it has been found to fit, and so is the first one after it has
    /// failed: what comes back may be another. One that does not fit is passed over.
    pub fn fits<G, Fut>(self, fit: G) -> FailoverLayer<S, G, C, P>
    where
        G: Fn(S) -> Fut,
    {
        let FailoverPolicy { judge, per_call, recheck, .. } = self.policy;
        FailoverLayer { others: self.others, policy: FailoverPolicy { fit, judge, per_call, recheck } }
    }

    /// How long a member is passed over that does not fit, until one call asks it again. 30 s by default.
    pub fn recheck(mut self, after: Duration) -> Self {
        self.policy.recheck = after;
        self
    }

    /// Who judges an outcome; by default what was judged below stands ([`Inherit`]).
    pub fn classify_with<D>(self, judge: D) -> FailoverLayer<S, F, D, P> {
        let FailoverPolicy { fit, per_call, recheck, .. } = self.policy;
        FailoverLayer { others: self.others, policy: FailoverPolicy { fit, judge, per_call, recheck } }
    }

    fn map_per_call<Q>(self, change: impl FnOnce(P) -> Q) -> FailoverLayer<S, F, C, Q> {
        let FailoverPolicy { fit, judge, per_call, recheck } = self.policy;
        FailoverLayer {
            others: self.others,
            policy: FailoverPolicy { fit, judge, per_call: change(per_call), recheck },
        }
    }
}

impl<S, F, C, R, L, G> FailoverLayer<S, F, C, PerCall<R, L, G>> {
    /// Which requests may be sent to another server, and how a copy is made: [`divert`](trysail_core::Replay::divert).
    pub fn replay<T>(self, replay: T) -> FailoverLayer<S, F, C, PerCall<T, L, G>> {
        self.map_per_call(|PerCall { within, budget, .. }| PerCall { replay, within, budget })
    }

    /// How long all members may take: a [`Limit`](trysail_core::Limit), counted from the first time the call is pending.
    ///
    /// What is left of it, or of the request's own time, is divided by the members that are left, so that one which hangs
    /// leaves time for the others. The last one is not cut: that is what a timeout around this layer is for. Without
    /// either, a member that hangs holds the call.
    pub fn within<T>(self, limit: T) -> FailoverLayer<S, F, C, PerCall<R, T, G>> {
        self.map_per_call(|PerCall { replay, budget, .. }| PerCall { replay, within: Some(limit), budget })
    }

    /// What pays for asking another member after one that was sent the request: the budget of the retry above, say. A call
    /// that succeeds gets its charges back. Without one, every call may ask every member.
    pub fn budget<T>(self, budget: T) -> FailoverLayer<S, F, C, PerCall<R, L, T>> {
        self.map_per_call(|PerCall { replay, within, .. }| PerCall { replay, within, budget })
    }
}

/// The service is the first member.
impl<S: Clone, F: Clone, C: Clone, P: Clone> Layer<S> for FailoverLayer<S, F, C, P> {
    type Service = Failover<S, F, C, P>;

    fn layer(&self, first: S) -> Self::Service {
        Failover::new(first, self.others.clone(), self.policy.clone())
    }
}

const RECHECK: Duration = Duration::from_secs(30);
