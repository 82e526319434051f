use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use trysail_core::Limit;

/// A limit that can be changed while calls run; clones are handles of the same one.
///
/// A change holds for calls made from then on, not for those in flight. One handle serves any number of layers.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_timeout::{Adjustable, TimeoutLayer};
/// let limit = Adjustable::new(Duration::from_secs(20));
/// let layer = TimeoutLayer::new(limit.clone());
///
/// limit.set(Duration::from_secs(2));
/// assert_eq!(limit.get(), Duration::from_secs(2));
/// # let _ = layer;
/// ```
#[derive(Clone)]
pub struct Adjustable(Arc<AtomicU64>);

impl Adjustable {
    /// A limit that is `limit` until it is set.
    pub fn new(limit: Duration) -> Self {
        Self(Arc::new(AtomicU64::new(nanos(limit))))
    }

    /// Changes the limit; zero refuses all calls, and five centuries are no limit.
    pub fn set(&self, limit: Duration) {
        self.0.store(nanos(limit), Relaxed);
    }

    /// The limit now.
    pub fn get(&self) -> Duration {
        match self.0.load(Relaxed) {
            u64::MAX => Duration::MAX,
            nanos => Duration::from_nanos(nanos),
        }
    }
}

impl<Req: ?Sized> Limit<Req> for Adjustable {
    fn limit(&self, _: &Req) -> Option<Duration> {
        Some(self.get())
    }
}

impl From<Duration> for Adjustable {
    fn from(limit: Duration) -> Self {
        Self::new(limit)
    }
}

impl fmt::Debug for Adjustable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Adjustable").field(&self.get()).finish()
    }
}

fn nanos(limit: Duration) -> u64 {
    limit.as_nanos().try_into().unwrap_or(u64::MAX)
}
