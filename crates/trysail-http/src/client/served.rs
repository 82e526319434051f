use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{Extensions, Uri, uri::Authority};
use hyper_util::client::legacy;

/// Whether a connection, and the server at its end, has ever brought an answer.
///
/// A connection that closes before a request is begun was idle for too long if it has; if not, its server is in
/// trouble. A server that has speaks HTTP, whatever it says next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served {
    connection: Arc<AtomicBool>,
    server: Arc<AtomicBool>,
}

/// What is known of each server that a client has connected to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Servers(Arc<Mutex<HashMap<Authority, Arc<AtomicBool>>>>);

impl Served {
    pub(crate) fn note(&self) {
        self.connection.store(true, Ordering::Relaxed);
        // Every connection to a server shares this one: to read it costs the others nothing.
        if !self.server.load(Ordering::Relaxed) {
            self.server.store(true, Ordering::Relaxed);
        }
    }

    /// Whether `error` came over a connection of ours that never brought an answer.
    pub(crate) fn never(error: &legacy::Error) -> bool {
        Self::of(error).is_some_and(|served| !served.connection.load(Ordering::Relaxed))
    }

    /// Whether `error` came from a server that has brought an answer before.
    pub(crate) fn before(error: &legacy::Error) -> bool {
        Self::of(error).is_some_and(|served| served.server.load(Ordering::Relaxed))
    }

    fn of(error: &legacy::Error) -> Option<Self> {
        let mut extras = Extensions::new();
        error.connect_info()?.get_extras(&mut extras);
        extras.remove()
    }
}

impl Servers {
    /// For a new connection to `destination`.
    pub(crate) fn connection(&self, destination: &Uri) -> Served {
        let Some(authority) = destination.authority() else { return Served::default() };
        let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Who talks to so many has others to remember by now.
        if servers.len() >= MOST && !servers.contains_key(authority) {
            servers.clear();
        }
        let server = servers.entry(authority.clone()).or_default().clone();
        Served { connection: Arc::default(), server }
    }
}

const MOST: usize = 1_024;
