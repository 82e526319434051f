use std::hash::Hash;

use trysail_core::Make;

use crate::{Pace, PaceSettings, redis::RedisStore};

/// Makes the shared pace of each key; made by [`RedisStore::paces`].
#[derive(Clone, Debug)]
pub struct SharedPaces {
    pub(super) store: RedisStore,
    pub(super) settings: PaceSettings,
}

impl<K: Hash> Make<K, Pace> for SharedPaces {
    fn make(&self, key: &K) -> Pace {
        self.store.pace(key, self.settings)
    }
}
