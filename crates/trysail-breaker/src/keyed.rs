use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// A value for each key, at most so many: where one more is needed, idle ones go, those first that were not asked for
/// lately. What nobody can make room for is handed out, and not remembered.
///
/// A value is a handle: its clones are the same thing.
pub(crate) struct KeyedMap<K, V> {
    most: usize,
    is_idle: fn(&V) -> bool,
    known: RwLock<HashMap<K, Known<V>>>,
}

struct Known<V> {
    value: V,
    /// Asked for since the last search for idle ones.
    lately: AtomicBool,
}

impl<K, V> KeyedMap<K, V> {
    /// At most `most` values, and at least one; those may go of which `is_idle` says so. It is asked under the map's
    /// lock, of values that no clone was handed out of meanwhile.
    pub(crate) fn new(most: usize, is_idle: fn(&V) -> bool) -> Self {
        Self { most: most.max(1), is_idle, known: RwLock::default() }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> KeyedMap<K, V> {
    /// The value of `key`, made now if there is none.
    pub(crate) fn get_or_make(&self, key: &K, make: impl FnOnce() -> V) -> V {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return known.value();
        }
        let fresh = make();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(key) {
            return known.value();
        }
        if known.len() >= self.most {
            self.evict(&mut known);
        }
        if known.len() < self.most {
            known.insert(key.clone(), Known { value: fresh.clone(), lately: AtomicBool::new(true) });
        }
        fresh
    }

    /// What `look` sees of each of them.
    pub(crate) fn each<T>(&self, look: impl Fn(&K, &V) -> T) -> Vec<T> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(key, known)| look(key, &known.value)).collect()
    }

    /// Makes room for more than one, so that the search is paid for by many keys.
    fn evict(&self, known: &mut HashMap<K, Known<V>>) {
        let mut surplus = known.len() - (self.most - self.most.div_ceil(16));
        for asked_lately in [false, true] {
            known.retain(|_, known| {
                let goes = surplus > 0 && known.lately.load(Relaxed) == asked_lately && (self.is_idle)(&known.value);
                surplus -= usize::from(goes);
                !goes
            });
            if surplus == 0 {
                break;
            }
        }
        known.values().for_each(|known| known.lately.store(false, Relaxed));
    }
}

impl<V: Clone> Known<V> {
    fn value(&self) -> V {
        if !self.lately.load(Relaxed) {
            self.lately.store(true, Relaxed);
        }
        self.value.clone()
    }
}

impl<K, V> fmt::Debug for KeyedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("KeyedMap").field("known", &known).field("most", &self.most).finish()
    }
}

#[cfg(all(test, not(trysail_loom)))]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn room_for_none_is_room_for_one() {
        let map = KeyedMap::new(0, |_: &Arc<u32>| true);
        let first = map.get_or_make(&1, || Arc::new(1));
        assert!(Arc::ptr_eq(&first, &map.get_or_make(&1, || Arc::new(2))), "it is remembered");
        map.get_or_make(&2, || Arc::new(2));
        assert_eq!(map.each(|key, _| *key), [2]);
    }

    #[test]
    fn those_go_first_that_were_not_asked_for_lately_and_busy_ones_stay() {
        let map = KeyedMap::new(16, |value: &Arc<u32>| Arc::strong_count(value) == 1);
        let busy = map.get_or_make(&0, || Arc::new(0));
        for key in 1..=16 {
            map.get_or_make(&key, || Arc::new(key));
        }
        for round in 0..100 {
            let asked = *map.each(|key, _| *key).iter().find(|key| **key != 0).unwrap();
            map.get_or_make(&asked, || unreachable!("it is known"));
            map.get_or_make(&(17 + round), || Arc::new(round));
            let keys = map.each(|key, _| *key);
            assert!(keys.len() <= 16 && keys.contains(&0) && keys.contains(&asked), "{asked} of {keys:?}");
        }
        drop(busy);
    }
}
