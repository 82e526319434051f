use std::{fmt, hash::Hash, sync::Arc};

use trysail_core::Make;

use crate::{
    Pace, PaceSettings,
    redis::{
        connection::Connection,
        link::Tie,
        name::Naming,
        url::{Address, InvalidUrl},
    },
};

/// A Redis or Valkey that keeps paces for all replicas.
///
/// Clones are the same store, with one connection. `Debug` and events show neither the password nor the secret.
#[derive(Clone)]
pub struct RedisStore {
    connection: Arc<Connection>,
    naming: Naming,
}

/// Makes the shared pace of each key; made by [`RedisStore::paces`].
#[derive(Clone, Debug)]
pub struct SharedPaces {
    store: RedisStore,
    settings: PaceSettings,
}

impl RedisStore {
    /// The one at `url`: `redis://[user][:password@]host[:port][/database]`, `rediss://…` with TLS, which trusts the system's
    /// roots, or `redis+unix:///path/of/socket`.
    ///
    /// Nothing is asked yet. Connections are made in the runtime of the calls.
    ///
    /// # Errors
    /// The URL is none of these.
    pub fn open(url: &str) -> Result<Self, InvalidUrl> {
        let address = Address::parse(url)?;
        let naming = Naming::new(address.password());
        Ok(Self { connection: Arc::new(Connection::new(address)), naming })
    }

    /// What all names of keys begin with; `trysail` unless set. Replicas share a pace only within one namespace.
    pub fn namespace(self, name: &str) -> Self {
        Self { naming: self.naming.within(name), ..self }
    }

    /// What keys are hashed with, so that nobody who reads the names in Redis can try out which credential is in one. All
    /// replicas need the same.
    ///
    /// Unless set, that is the password of the URL; and without a password nothing secret: then whoever reads Redis can try.
    pub fn secret(self, secret: impl AsRef<[u8]>) -> Self {
        Self { naming: self.naming.keyed(secret.as_ref()), ..self }
    }

    /// The pace of `key`, which all replicas keep together that ask for the same. What they have set may differ: each counts by
    /// its own.
    ///
    /// Redis sees the key as a keyed hash only (HMAC-SHA-256).
    pub fn pace(&self, key: impl Hash, settings: impl Into<PaceSettings>) -> Pace {
        let tie = Tie::new(Arc::clone(&self.connection), self.naming.of(&key));
        Pace::with(settings.into(), Some(Box::new(tie)))
    }

    /// What makes the shared paces of [`Paces`](crate::Paces): one for each key, all set so.
    ///
    /// The key is what it [hashes](Hash): to be the same in all replicas, that must not depend on the process.
    pub fn paces(&self, settings: impl Into<PaceSettings>) -> SharedPaces {
        SharedPaces { store: self.clone(), settings: settings.into() }
    }
}

impl<K: Hash> Make<K, Pace> for SharedPaces {
    fn make(&self, key: &K) -> Pace {
        self.store.pace(key, self.settings)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisStore").field(&format_args!("{}", self.connection.address())).finish()
    }
}
