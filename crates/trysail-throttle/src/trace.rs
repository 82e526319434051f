//! What a pace logs: each time that it slows calls down by what a server said, or loses its store.

#[cfg(not(feature = "tracing"))]
pub(crate) use off::*;
#[cfg(feature = "tracing")]
pub(crate) use on::*;

#[cfg(feature = "tracing")]
mod on {
    #[cfg(feature = "redis")]
    use std::fmt::Display;
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

    #[cfg(feature = "redis")]
    pub(crate) fn alone(pace: Option<&str>, store: &dyn Display, why: &dyn Display, replicas: u32) {
        warn!(target: TARGET, pace, %store, %why, replicas, "pace kept alone");
    }

    #[cfg(feature = "redis")]
    pub(crate) fn shared(pace: Option<&str>, store: &dyn Display, replicas: u32) {
        info!(target: TARGET, pace, %store, replicas, "pace shared again");
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    #[cfg(feature = "redis")]
    use std::fmt::Display;

    use crate::{PaceSnapshot, decision::News};

    pub(crate) fn told(_: Option<&str>, _: News, _: impl FnOnce() -> PaceSnapshot) {}

    #[cfg(feature = "redis")]
    pub(crate) fn alone(_: Option<&str>, _: &dyn Display, _: &dyn Display, _: u32) {}

    #[cfg(feature = "redis")]
    pub(crate) fn shared(_: Option<&str>, _: &dyn Display, _: u32) {}
}
