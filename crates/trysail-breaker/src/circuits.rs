use std::{fmt, fmt::Debug, hash::Hash, sync::Arc};

use crate::{Circuit, Snapshot, keyed::KeyedMap};

/// A circuit for each key: an origin, say, or an origin and a model.
///
/// There are at most so many, and at least one. Where one more is needed, closed circuits go that no call holds, those
/// first that were not asked for lately, and what they have counted goes with them; open ones stay until nobody has asked
/// for them for ten minutes after their time. If none can go, the key gets a circuit of its own that is not remembered.
///
/// A circuit that was made without a [name](Circuit::named) is named by its key, as `Debug` shows it. Events show that
/// name: what is secret in a key (a credential) must be so in its `Debug`.
pub struct Circuits<K, M = fn() -> Circuit> {
    shared: Arc<Shared<K, M>>,
}

struct Shared<K, M> {
    make: M,
    known: KeyedMap<K, Circuit>,
}

impl<K, M> Circuits<K, M> {
    /// At most `most` circuits, each made by `make`.
    pub fn new(most: usize, make: M) -> Self {
        Self { shared: Arc::new(Shared { make, known: KeyedMap::new(most, Circuit::is_idle) }) }
    }
}

impl<K, M> Circuits<K, M>
where
    K: Hash + Eq + Clone + Debug,
    M: Fn() -> Circuit,
{
    /// The circuit of `key`, made now if there is none.
    pub fn get(&self, key: &K) -> Circuit {
        self.shared.known.get_or_make(key, || {
            let circuit = (self.shared.make)();
            circuit.name_by(key);
            circuit
        })
    }

    /// How each of them is now.
    pub fn snapshot(&self) -> Vec<(K, Snapshot)> {
        self.shared.known.each(|key, circuit| (key.clone(), circuit.snapshot()))
    }
}

impl<K, M> Clone for Circuits<K, M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K, M> Debug for Circuits<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Circuits").field(&self.shared.known).finish()
    }
}
