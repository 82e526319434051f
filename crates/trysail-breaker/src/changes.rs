use std::fmt;

use tokio::sync::watch;

use crate::{Snapshot, State};

/// The changes of a circuit's state; made by [`Circuit::subscribe`](crate::Circuit::subscribe).
///
/// Who is slow misses changes, and never the last one.
pub struct Changes {
    receiver: watch::Receiver<Change>,
}

/// Which generation began, and how the circuit was then.
pub(crate) type Change = (u32, Snapshot);

impl Changes {
    pub(crate) fn of(sender: &watch::Sender<Change>) -> Self {
        Self { receiver: sender.subscribe() }
    }

    /// Waits for the next change, and gives what the circuit was like just then: the state it led to, and the calls
    /// that led to it; `None` once the circuit is no more.
    pub async fn next(&mut self) -> Option<Snapshot> {
        self.receiver.changed().await.ok()?;
        Some(self.receiver.borrow_and_update().1)
    }

    /// The state that the last change has led to.
    pub fn state(&self) -> State {
        self.receiver.borrow().1.state()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Changes").field(&self.state()).finish()
    }
}
