//! One pace for all replicas, through Redis or Valkey (feature `redis`).
//!
//! A replica asks for *leases*: what a tenth of a second brings of its share, and at least what the next call costs. One script on
//! the server's clock counts the replicas and grants leases by GCRA, so that there is a round trip a lease and not a call, and
//! no lock. A lease may be granted for later; then the store has nothing left, and calls wait as they do for a rate of this
//! process. What is not used goes back. A pause that a server asks of one replica reaches the others with their next lease, at the
//! latest within a quarter of a second, and each comes back slowly from it.
//!
//! Calls never fail for Redis, and never wait for it longer than 50 ms. Where it does not answer in that time, a replica goes on
//! *alone*: at the limit divided by the replicas that there were when it last heard of them. One that has not heard of any, since
//! Redis was away from the beginning, is one: it has the whole limit. It tries again twice a second, says then what it has sent
//! meanwhile, and shares again.
//!
//! ```no_run
//! # use trysail_throttle::{Paces, PaceSettings, Rate, ThrottleLayer, redis::RedisStore};
//! # #[derive(Clone, Debug, PartialEq, Eq, Hash)] struct Account;
//! # struct Request; impl Request { fn account(&self) -> Account { Account } }
//! # fn open() -> Result<(), trysail_throttle::redis::InvalidUrl> {
//! let store = RedisStore::open("rediss://:password@redis.example:6380/0")?.secret("of all replicas");
//! let pace = store.pace("one account", Rate::per_minute(500));
//! // Or one for each key:
//! let paces = Paces::new(1_000, store.paces(PaceSettings::new().cost(Rate::per_minute(200_000))));
//! let layer = ThrottleLayer::new(paces.keyed(|request: &Request| request.account()));
//! # let _ = (pace, layer);
//! # Ok(())
//! # }
//! ```

mod ask;
mod attendant;
mod connection;
mod link;
mod name;
mod paces;
mod tenant;
mod url;

use std::{fmt, hash::Hash, sync::Arc};

pub(crate) use self::link::Link;
use self::{connection::Connection, name::Naming, url::Address};
pub use self::{paces::SharedPaces, url::InvalidUrl};
use crate::{Pace, PaceSettings};

/// A Redis or Valkey that keeps paces for all replicas.
///
/// Clones are the same store, with one connection. `Debug` and events show neither the password nor the secret.
#[derive(Clone)]
pub struct RedisStore {
    connection: Arc<Connection>,
    naming: Naming,
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
        let link = Link::new(Arc::clone(&self.connection), self.naming.of(&key));
        Pace::with(settings.into(), Some(link))
    }

    /// What makes the shared paces of [`Paces`](crate::Paces): one for each key, all set so.
    ///
    /// The key is what it [hashes](Hash): to be the same in all replicas, that must not depend on the process.
    pub fn paces(&self, settings: impl Into<PaceSettings>) -> SharedPaces {
        SharedPaces { store: self.clone(), settings: settings.into() }
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisStore").field(&format_args!("{}", self.connection.address())).finish()
    }
}
