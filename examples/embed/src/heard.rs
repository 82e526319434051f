//! What the server said to the attempts of one call.

use std::{cell::RefCell, future::Future, sync::Arc};

tokio::task_local! {
    static HEARD: RefCell<Heard>;
}

/// The last failure in words, and how many attempts in a row failed so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) said: Option<Arc<str>>,
    pub(crate) times: u32,
    /// How many attempts failed in any words.
    pub(crate) all: u32,
}

/// Runs `call`, and says what was heard in it.
pub(crate) async fn listen<F: Future>(call: F) -> (F::Output, Heard) {
    HEARD.scope(RefCell::default(), async { (call.await, HEARD.with(RefCell::take)) }).await
}

/// An attempt of the call that runs now has failed.
pub(crate) fn hear(said: &Arc<str>) {
    // Nobody listens to a call outside.
    _ = HEARD.try_with(|heard| {
        let mut heard = heard.borrow_mut();
        let same = heard.said.as_ref() == Some(said);
        heard.times = if same { heard.times + 1 } else { 1 };
        heard.said = Some(Arc::clone(said));
        heard.all += 1;
    });
}
