use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http::Extensions;
use hyper_util::client::legacy;

/// Whether a connection has ever brought an answer.
///
/// One that closes before a request is begun was idle for too long if it has; if not, its server is in trouble.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served(Arc<AtomicBool>);

impl Served {
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether `error` came over a connection of ours that never brought an answer.
    pub(crate) fn never(error: &legacy::Error) -> bool {
        let mut extras = Extensions::new();
        if let Some(info) = error.connect_info() {
            info.get_extras(&mut extras);
        }
        extras.get::<Self>().is_some_and(|served| !served.0.load(Ordering::Relaxed))
    }
}
