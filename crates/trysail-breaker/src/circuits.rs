use std::fmt::Debug;

use trysail_core::{Registered, Registry, Select};

use crate::{Circuit, Snapshot};

/// A circuit for each key, at most so many: `BreakerLayer::new(circuits.keyed(|request| key))`.
///
/// Where one more is needed, closed circuits go that no call holds, those first that were not asked for lately, and what
/// they have counted goes with them; open ones stay until nobody has asked for them for ten minutes after their time.
/// If none can go, the key gets a circuit of its own that is not remembered.
///
/// Which circuit a call meets is known when it is made, so an open one refuses after the service was ready.
///
/// A circuit that was made without a [name](Circuit::named) is named by its key, as `Debug` shows it. Events show that
/// name: what is secret in a key (a credential) must be so in its `Debug`.
///
/// ```
/// # use trysail_breaker::{BreakerLayer, Circuit, Circuits};
/// struct Request { origin: String }
/// let circuits = Circuits::new(1_000, Circuit::default);
/// let layer = BreakerLayer::new(circuits.keyed(|request: &Request| request.origin.clone()));
/// # let _ = layer;
/// ```
pub type Circuits<K, M = fn() -> Circuit> = Registry<K, Circuit, M>;

impl Registered for Circuit {
    type Snapshot = Snapshot;

    fn snapshot(&self) -> Snapshot {
        self.snapshot()
    }

    fn is_idle(&self) -> bool {
        self.is_idle()
    }

    fn made_for(&self, key: &dyn Debug) {
        self.name_by(key);
    }
}

impl<Req: ?Sized> Select<Req, Self> for Circuit {
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
