use std::fmt;

use tokio::sync::watch;

use crate::State;

/// The changes of a circuit's state; made by [`Circuit::subscribe`](crate::Circuit::subscribe).
///
/// Who is slow misses changes, and never the last one.
pub struct Changes {
    receiver: watch::Receiver<(u32, State)>,
}

impl Changes {
    pub(crate) fn of(sender: &watch::Sender<(u32, State)>) -> Self {
        Self { receiver: sender.subscribe() }
    }

    /// Waits for the next change, and gives the state it has led to; `None` once the circuit is no more.
    pub async fn next(&mut self) -> Option<State> {
        self.receiver.changed().await.ok()?;
        Some(self.receiver.borrow_and_update().1)
    }

    /// The state that the last change has led to.
    pub fn state(&self) -> State {
        self.receiver.borrow().1
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Changes").field(&self.state()).finish()
    }
}
