//! What a retry logs: one event per attempt that is not the last word, and one for a call that is given up.

#[cfg(feature = "tracing")]
pub(crate) use on::{give_up, retry};

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{give_up, retry};

#[cfg(feature = "tracing")]
mod on {
    use std::time::Duration;

    use tracing::debug;
    use trysail_core::Verdict;

    use crate::{RetryReport, Stop};

    const TARGET: &str = "trysail::retry";

    pub(crate) fn retry(report: &RetryReport, verdict: Verdict, delay: Duration) {
        debug!(target: TARGET, attempt = report.attempts(), class = %verdict.class(), hint = ?verdict.retry_after(), ?delay, "retry");
    }

    pub(crate) fn give_up(report: &RetryReport, verdict: Verdict, stop: Stop) {
        debug!(target: TARGET, attempt = report.attempts(), class = %verdict.class(), why = stop.as_str(), "give up");
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use std::time::Duration;

    use trysail_core::Verdict;

    use crate::{RetryReport, Stop};

    pub(crate) fn retry(_: &RetryReport, _: Verdict, _: Duration) {}

    pub(crate) fn give_up(_: &RetryReport, _: Verdict, _: Stop) {}
}
