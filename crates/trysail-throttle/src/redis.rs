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
mod pauses;
mod step;
mod store;
mod tenant;
mod url;

pub use self::{
    store::{RedisStore, SharedPaces},
    url::InvalidUrl,
};
