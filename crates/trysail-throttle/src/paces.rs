use std::fmt::Debug;

use trysail_core::{Registered, Registry, Select};

use crate::{Pace, PaceSnapshot};

/// A pace for each key, at most so many: `ThrottleLayer::new(paces.keyed(|request| key))`.
///
/// A limit belongs to an account and a model, so a key is what says these: origin, credential, model. Where one more is needed,
/// paces go that no call holds and that have nothing to remember. If none can go, the key gets a pace of its own that is not
/// kept.
///
/// A pace that was made without a [name](Pace::named) is named by its key, as `Debug` shows it. Events show that name: what is
/// secret in a key (a credential) must be so in its `Debug`.
///
/// ```
/// # use trysail_throttle::{Pace, Paces, Rate, ThrottleLayer};
/// struct Request { model: String }
/// let paces = Paces::new(1_000, || Pace::new(Rate::per_minute(500)));
/// let layer = ThrottleLayer::new(paces.keyed(|request: &Request| request.model.clone()));
/// # let _ = layer;
/// ```
pub type Paces<K, M = fn() -> Pace> = Registry<K, Pace, M>;

impl Registered for Pace {
    type Snapshot = PaceSnapshot;

    fn snapshot(&self) -> PaceSnapshot {
        self.snapshot()
    }

    fn is_idle(&self) -> bool {
        self.is_idle()
    }

    fn made_for(&self, key: &dyn Debug) {
        self.name_by(key);
    }
}

impl<Req: ?Sized> Select<Req, Self> for Pace {
    type Selection = ();

    #[inline]
    fn select(&self, _: &Req) {}

    #[inline]
    fn selected<'a>(&'a self, (): &'a ()) -> Option<&'a Self> {
        Some(self)
    }

    #[inline]
    fn only(&self) -> Option<&Self> {
        Some(self)
    }
}
