use std::sync::Arc;

use tokio::sync::watch;

/// What a server has seen, for others to watch.
#[derive(Debug, Default)]
pub(super) struct Counts(watch::Sender<Now>);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Now {
    pub(super) accepted: usize,
    pub(super) open: usize,
    pub(super) requests: usize,
}

impl Counts {
    pub(super) fn now(&self) -> Now {
        *self.0.borrow()
    }

    pub(super) async fn until(&self, reached: impl FnMut(&Now) -> bool) {
        self.0.subscribe().wait_for(reached).await.expect("the sender is borrowed");
    }

    /// Counts a connection, which is open until the result is dropped.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        self.0.send_modify(|now| {
            now.accepted += 1;
            now.open += 1;
        });
        Open(Arc::clone(self))
    }
}

#[derive(Debug)]
pub(super) struct Open(Arc<Counts>);

impl Open {
    pub(super) fn request(&self) {
        self.0.0.send_modify(|now| now.requests += 1);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.send_modify(|now| now.open -= 1);
    }
}
