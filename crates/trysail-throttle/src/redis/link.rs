use std::sync::Arc;

use tokio::{runtime::Handle, sync::Notify};

use crate::{
    Pace,
    redis::{attendant::Attendant, connection::Connection, name::Names},
};

/// What ties a pace to the other replicas that keep it.
pub(crate) struct Link {
    pub(super) connection: Arc<Connection>,
    pub(super) names: Names,
    /// Wakes who asks the store.
    pub(super) bell: Arc<Notify>,
}

impl Link {
    pub(super) fn new(connection: Arc<Connection>, names: Names) -> Self {
        Self { connection, names, bell: Arc::default() }
    }

    /// One for another pace that is the same to the store.
    pub(crate) fn again(&self) -> Self {
        Self::new(Arc::clone(&self.connection), self.names.clone())
    }

    pub(crate) fn can_start(&self) -> bool {
        Handle::try_current().is_ok()
    }

    /// Has the store asked from now on, until nobody calls any more, somebody else asks, or the pace is gone.
    pub(crate) fn start(&self, pace: &Pace, number: u64) {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(Attendant::new(self, pace, number).run());
        }
    }

    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.ring();
    }
}
