//! What a circuit logs: each change of its state.

#[cfg(feature = "tracing")]
pub(crate) use on::changed;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::changed;

#[cfg(feature = "tracing")]
mod on {
    use tracing::{info, warn};

    use crate::{Snapshot, State, machine::FORCED_RETRY};

    const TARGET: &str = "trysail::breaker";

    pub(crate) fn changed(circuit: Option<&str>, now: &Snapshot) {
        let cause = now.cause().map(trysail_core::Cause::as_str);
        match now.state() {
            State::Open | State::ForcedOpen => {
                let class = now.class().map(trysail_core::Class::as_str);
                let retry_after = now.next_probe().unwrap_or(FORCED_RETRY);
                warn!(target: TARGET, circuit, cause, class, ?retry_after, opened = now.opened(), "circuit open");
            }
            State::Disabled => info!(target: TARGET, circuit, "circuit disabled"),
            State::Closed => info!(target: TARGET, circuit, cause, opened = now.opened(), "circuit closed"),
            State::HalfOpen => {}
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::Snapshot;

    pub(crate) const fn changed(_: Option<&str>, _: &Snapshot) {}
}
