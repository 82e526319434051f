//! What a circuit logs: each change of its state.

#[cfg(feature = "tracing")]
pub(crate) use on::changed;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::changed;

#[cfg(feature = "tracing")]
mod on {
    use tracing::{info, warn};

    use crate::{Snapshot, State};

    const TARGET: &str = "trysail::breaker";

    pub(crate) fn changed(now: &Snapshot) {
        let cause = now.cause().map(trysail_core::Cause::as_str);
        match now.state() {
            State::Open | State::ForcedOpen => {
                let class = now.class().map(trysail_core::Class::as_str);
                warn!(target: TARGET, cause, class, opened = now.opened(), "circuit open");
            }
            State::Disabled => info!(target: TARGET, "circuit disabled"),
            State::Closed => info!(target: TARGET, cause, opened = now.opened(), "circuit closed"),
            State::HalfOpen => {}
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::Snapshot;

    pub(crate) const fn changed(_: &Snapshot) {}
}
