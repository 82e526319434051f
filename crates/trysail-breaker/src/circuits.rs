use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use crate::{Circuit, Snapshot};

/// A circuit for each key: an origin, say, or an origin and a model.
///
/// There are at most so many. Where one more is needed, closed circuits go that no call holds, those first that were not
/// asked for lately, and what they have counted goes with them; open ones stay until nobody has asked for them for ten
/// minutes after their time. If none can go, the key gets a circuit of its own that is not remembered.
pub struct Circuits<K, M = fn() -> Circuit> {
    shared: Arc<Shared<K, M>>,
}

struct Shared<K, M> {
    make: M,
    most: usize,
    known: RwLock<HashMap<K, Known>>,
}

struct Known {
    circuit: Circuit,
    /// Asked for since the last search for idle ones.
    lately: AtomicBool,
}

impl<K, M> Circuits<K, M> {
    /// At most `most` circuits, each made by `make`.
    pub fn new(most: usize, make: M) -> Self {
        Self { shared: Arc::new(Shared { make, most, known: RwLock::default() }) }
    }
}

impl<K, M> Circuits<K, M>
where
    K: Hash + Eq + Clone,
    M: Fn() -> Circuit,
{
    /// The circuit of `key`, made now if there is none.
    pub fn get(&self, key: &K) -> Circuit {
        if let Some(known) = self.shared.known.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return known.circuit();
        }
        let fresh = (self.shared.make)();
        let mut known = self.shared.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(key) {
            return known.circuit();
        }
        if known.len() >= self.shared.most {
            evict(&mut known, self.shared.most);
        }
        if known.len() < self.shared.most {
            known.insert(key.clone(), Known { circuit: fresh.clone(), lately: AtomicBool::new(true) });
        }
        fresh
    }

    /// How each of them is now.
    pub fn snapshot(&self) -> Vec<(K, Snapshot)> {
        let known = self.shared.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(key, known)| (key.clone(), known.circuit.snapshot())).collect()
    }
}

impl Known {
    fn circuit(&self) -> Circuit {
        if !self.lately.load(Relaxed) {
            self.lately.store(true, Relaxed);
        }
        self.circuit.clone()
    }
}

/// Makes room for more than one, so that the search is paid for by many keys.
fn evict<K: Hash + Eq>(known: &mut HashMap<K, Known>, most: usize) {
    let mut surplus = known.len() - (most - most.div_ceil(16));
    for asked_lately in [false, true] {
        known.retain(|_, known| {
            let goes = surplus > 0 && known.lately.load(Relaxed) == asked_lately && known.circuit.is_idle();
            surplus -= usize::from(goes);
            !goes
        });
        if surplus == 0 {
            break;
        }
    }
    known.values().for_each(|known| known.lately.store(false, Relaxed));
}

impl<K, M> Clone for Circuits<K, M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K, M> fmt::Debug for Circuits<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.shared.known.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Circuits").field("known", &known.len()).field("most", &self.shared.most).finish()
    }
}
