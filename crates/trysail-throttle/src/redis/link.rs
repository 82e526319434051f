use std::sync::Arc;

use tokio::{runtime::Handle, sync::Notify};

use crate::{
    Pace,
    link::Link,
    redis::{attendant::Attendant, connection::Connection, name::Names},
};

/// What ties a pace to the other replicas that keep it.
pub(super) struct Tie {
    connection: Arc<Connection>,
    names: Names,
    bell: Arc<Notify>,
}

impl Tie {
    pub(super) fn new(connection: Arc<Connection>, names: Names) -> Self {
        Self { connection, names, bell: Arc::default() }
    }
}

impl Link<Pace> for Tie {
    fn again(&self) -> Box<dyn Link<Pace>> {
        Box::new(Self::new(Arc::clone(&self.connection), self.names.clone()))
    }

    fn can_start(&self) -> bool {
        Handle::try_current().is_ok()
    }

    fn start(&self, pace: &Pace, number: u64) {
        let Ok(runtime) = Handle::try_current() else { return };
        let (connection, names, bell) = (Arc::clone(&self.connection), self.names.clone(), Arc::clone(&self.bell));
        runtime.spawn(Attendant::new(pace, connection, names, bell, number).run());
    }

    fn ring(&self) {
        self.bell.notify_one();
    }
}

impl Drop for Tie {
    fn drop(&mut self) {
        self.ring();
    }
}
