use trysail_core::{Registered, Registry, Select};

use crate::{Balance, Budget};

/// A retry budget for each key, at most so many: `layer.budget(budgets.keyed(|request| key))`.
///
/// Where one more is needed, full budgets go that no call holds, those first that were not asked for lately; one that has
/// been drawn on stays until it is full again. If none can go, the key gets a budget of its own that is not
/// remembered.
///
/// ```
/// # use trysail_retry::{Backoff, Budget, Budgets, RetryLayer};
/// struct Request { origin: String }
/// let budgets = Budgets::new(1_000, Budget::default);
/// let layer = RetryLayer::new(Backoff::default()).budget(budgets.keyed(|request: &Request| request.origin.clone()));
/// # let _ = layer;
/// ```
pub type Budgets<K, M = fn() -> Budget> = Registry<K, Budget, M>;

impl Registered for Budget {
    type Snapshot = Balance;

    fn snapshot(&self) -> Balance {
        self.snapshot()
    }

    fn is_idle(&self) -> bool {
        self.is_idle()
    }
}

impl<Req: ?Sized> Select<Req, Self> for Budget {
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
