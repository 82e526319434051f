//! What a pace logs: each time that it slows calls down by what a server said.

#[cfg(feature = "tracing")]
pub(crate) use on::told;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::told;

#[cfg(feature = "tracing")]
mod on {
    use std::time::Duration;

    use tracing::{info, warn};

    use crate::{PaceSnapshot, decision::News};

    const TARGET: &str = "trysail::throttle";

    pub(crate) fn told(pace: Option<&str>, event: News, snapshot: impl FnOnce() -> PaceSnapshot) {
        let now = snapshot();
        let waiting = now.waiting();
        match event {
            News::Paused => {
                let (pause, found) = (now.paused().unwrap_or_default(), now.found());
                let per_minute = found.map(|rate| rate.within(Duration::from_secs(60)));
                warn!(target: TARGET, pace, ?pause, waiting, per_minute, "calls paused");
            }
            News::Latched => {
                let (verdict, retry_after) = now.latched().unzip();
                let class = verdict.map(|verdict| verdict.class().as_str());
                warn!(target: TARGET, pace, class, ?retry_after, "calls refused");
            }
            News::Unlatched => info!(target: TARGET, pace, "calls pass again"),
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::{PaceSnapshot, decision::News};

    pub(crate) fn told(_: Option<&str>, _: News, _: impl FnOnce() -> PaceSnapshot) {}
}
