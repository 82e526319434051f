//! What a retry logs: one event per attempt that is not the last word, and one for a call that is given up.

#[cfg(feature = "tracing")]
pub(crate) use on::{give_up, retry};

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{give_up, retry};

#[cfg(feature = "tracing")]
mod on {
    use tracing::debug;
    use trysail_core::Verdict;

    use crate::{RetryReport, Stop, decider::PlannedWait};

    const TARGET: &str = "trysail::retry";

    pub(crate) fn retry(report: &RetryReport, verdict: Verdict, step: PlannedWait) {
        let PlannedWait { delay, what, .. } = step;
        debug!(target: TARGET, attempt = report.attempts(), class = %verdict.class(), hint = ?verdict.retry_after(), ?delay, wait_for = what.as_str(), "retry");
    }

    pub(crate) fn give_up(report: &RetryReport, verdict: Verdict, stop: Stop) {
        debug!(target: TARGET, attempt = report.attempts(), class = %verdict.class(), why = stop.as_str(), "give up");
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use trysail_core::Verdict;

    use crate::{RetryReport, Stop, decider::PlannedWait};

    pub(crate) fn retry(_: &RetryReport, _: Verdict, _: PlannedWait) {}

    pub(crate) fn give_up(_: &RetryReport, _: Verdict, _: Stop) {}
}
