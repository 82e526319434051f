//! One of a kind for each key.

use core::{
    fmt::{self, Debug},
    hash::Hash,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    vec::Vec,
};

use crate::Select;

/// A circuit for each key, a retry budget for each key: an origin, say, or an origin and a model. Clones are the same one.
///
/// It knows so many at most, and at least one. Where one more is needed, idle ones go that nobody else holds, those first
/// that were not asked for lately. If none can go, the key gets one of its own that is not remembered.
pub struct Registry<K, T, M = fn() -> T> {
    shared: Arc<RegistryInner<K, T, M>>,
}

/// What a [`Registry`] has one of for each key: a handle, whose clones are the same thing.
pub trait Registered: Clone {
    /// How it is at one moment.
    type Snapshot;

    /// How it is now.
    fn snapshot(&self) -> Self::Snapshot;

    /// Whether nobody else holds it, and another one in its place would do the same.
    ///
    /// Asked under the registry's lock.
    fn is_idle(&self) -> bool;

    /// It was made for `key`, by which it may call itself.
    fn made_for(&self, key: &dyn Debug) {
        let _ = key;
    }
}

/// How a [`Registry`] makes the one of a key: every closure without an argument does, whatever the key is.
pub trait Make<K, T> {
    /// The one of `key`.
    fn make(&self, key: &K) -> T;
}

#[diagnostic::do_not_recommend]
impl<K, T, F: Fn() -> T> Make<K, T> for F {
    fn make(&self, _: &K) -> T {
        self()
    }
}

struct RegistryInner<K, T, M> {
    most: usize,
    make: M,
    known: RwLock<HashMap<K, Entry<T>>>,
}

struct Entry<T> {
    value: T,
    /// Asked for since the last search for idle ones.
    lately: AtomicBool,
}

impl<K, T, M> Registry<K, T, M> {
    /// At most `most`, each made by `make`.
    pub fn new(most: usize, make: M) -> Self {
        Self { shared: Arc::new(RegistryInner { most: most.max(1), make, known: RwLock::default() }) }
    }

    /// What a layer takes: `key` of a request says which one it goes through.
    pub fn keyed<Req, F>(&self, key: F) -> Keyed<K, T, F, M>
    where
        Req: ?Sized,
        // Here already, so that the compiler knows the key's type.
        F: Fn(&Req) -> K,
    {
        Keyed::new(self.clone(), key)
    }
}

impl<K, T, M> Registry<K, T, M>
where
    K: Hash + Eq + Clone + Debug,
    T: Registered,
    M: Make<K, T>,
{
    /// The one of `key`, made now if there is none.
    pub fn get(&self, key: &K) -> T {
        let shared = &*self.shared;
        if let Some(entry) = shared.known.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return entry.value();
        }
        let fresh = shared.make.make(key);
        fresh.made_for(key);
        let mut known = shared.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = known.get(key) {
            return entry.value();
        }
        if known.len() >= shared.most {
            evict(&mut known, shared.most);
        }
        if known.len() < shared.most {
            known.insert(key.clone(), Entry { value: fresh.clone(), lately: AtomicBool::new(true) });
        }
        fresh
    }

    /// How each of them is now.
    pub fn snapshot(&self) -> Vec<(K, T::Snapshot)> {
        let known = self.shared.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(key, entry)| (key.clone(), entry.value.snapshot())).collect()
    }
}

/// Makes room for more than one, so that the search is paid for by many keys.
fn evict<K, T: Registered>(known: &mut HashMap<K, Entry<T>>, most: usize) {
    let mut surplus = known.len() - (most - most.div_ceil(16));
    for asked_lately in [false, true] {
        known.retain(|_, entry| {
            let goes = surplus > 0 && entry.lately.load(Relaxed) == asked_lately && entry.value.is_idle();
            surplus -= usize::from(goes);
            !goes
        });
        if surplus == 0 {
            break;
        }
    }
    known.values().for_each(|entry| entry.lately.store(false, Relaxed));
}

impl<T: Clone> Entry<T> {
    fn value(&self) -> T {
        if !self.lately.load(Relaxed) {
            self.lately.store(true, Relaxed);
        }
        self.value.clone()
    }
}

impl<K, T, M> Clone for Registry<K, T, M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K, T, M> Debug for Registry<K, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.shared.known.read().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("Registry").field("known", &known).field("most", &self.shared.most).finish()
    }
}

/// One for each key, and the key of each request; made by [`Registry::keyed`].
#[derive(Clone)]
pub struct Keyed<K, T, F, M = fn() -> T> {
    registry: Registry<K, T, M>,
    key: F,
}

impl<K, T, F, M> Keyed<K, T, F, M> {
    /// Takes `key` of a request, and what it goes through out of `registry`.
    pub const fn new(registry: Registry<K, T, M>, key: F) -> Self {
        Self { registry, key }
    }
}

impl<Req, K, T, F, M> Select<Req, T> for Keyed<K, T, F, M>
where
    Req: ?Sized,
    K: Hash + Eq + Clone + Debug,
    T: Registered,
    F: Fn(&Req) -> K,
    M: Make<K, T>,
{
    type Selection = Option<T>;

    fn select(&self, request: &Req) -> Option<T> {
        Some(self.registry.get(&(self.key)(request)))
    }

    fn selected<'a>(&'a self, selection: &'a Option<T>) -> Option<&'a T> {
        selection.as_ref()
    }

    fn keep(&self, selection: Option<T>) -> Option<T> {
        selection
    }
}

impl<K, T, F, M> Debug for Keyed<K, T, F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyed").field(&self.registry).finish()
    }
}

#[cfg(test)]
mod tests;
