use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use redis::{
    RedisResult, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use rustls::crypto::{CryptoProvider, ring};

use crate::redis::{
    ask::{Ask, Reply},
    name::Names,
    url::Address,
};

/// The way to a Redis, which all paces of one store share.
pub(super) struct Connection {
    address: Address,
    script: Script,
    current: Mutex<Current>,
    is_up: AtomicBool,
}

#[derive(Default)]
struct Current {
    manager: Option<ConnectionManager>,
    /// How many there were before.
    number: u64,
}

impl Connection {
    pub(super) fn new(address: Address) -> Self {
        let script = Script::new(include_str!("lease.lua"));
        Self { address, script, current: Mutex::default(), is_up: AtomicBool::new(false) }
    }

    pub(super) const fn address(&self) -> &Address {
        &self.address
    }

    /// Whether the last answer was one.
    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Relaxed)
    }

    pub(super) async fn ask(&self, names: &Names, replica: &str, ask: &Ask) -> RedisResult<Reply> {
        let (mut manager, number) = self.current()?;
        let outcome = ask.of(&self.script, names, replica).invoke_async(&mut manager).await;
        self.is_up.store(outcome.is_ok(), Relaxed);
        // A manager connects again after an error of the connection alone; a login that failed may succeed later as well.
        if outcome.as_ref().is_err_and(|error| !error.is_io_error()) {
            self.discard(number);
        }
        outcome.map(Reply::read)
    }

    fn current(&self) -> RedisResult<(ConnectionManager, u64)> {
        let mut current = self.lock();
        let manager = match &current.manager {
            Some(manager) => manager.clone(),
            None => current.manager.insert(self.connect()?).clone(),
        };
        Ok((manager, current.number))
    }

    /// Which connection is in use.
    pub(super) fn number(&self) -> u64 {
        self.lock().number
    }

    /// The next who asks makes a connection of his own, unless somebody has done that. What does not answer may be one whose
    /// runtime stands still.
    pub(super) fn discard(&self, number: u64) {
        let mut current = self.lock();
        if current.number == number {
            *current = Current { manager: None, number: number + 1 };
            self.is_up.store(false, Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> RedisResult<ConnectionManager> {
        if self.address.is_encrypted() && CryptoProvider::get_default().is_none() {
            // rustls panics where it is compiled with several, and none was chosen.
            let _ = ring::default_provider().install_default();
        }
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT));
        ConnectionManager::new_lazy_with_config(self.address.client().clone(), config)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&format_args!("{}", self.address)).finish()
    }
}

/// How long it may take to connect and to log in.
pub(super) const CONNECT: Duration = Duration::from_secs(1);
