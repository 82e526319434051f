use std::future::Future;

use tokio::runtime;

/// Runs it to its end on a clock that jumps to the next timer whenever nothing else is to be done.
pub(crate) fn virtually<F: Future>(run: F) -> F::Output {
    block_on(runtime::Builder::new_current_thread().enable_time().start_paused(true), run)
}

/// The same on the clock of the machine.
pub(crate) fn really<F: Future>(run: F) -> F::Output {
    block_on(runtime::Builder::new_current_thread().enable_all(), run)
}

fn block_on<F: Future>(builder: &mut runtime::Builder, run: F) -> F::Output {
    builder.build().expect("a system that gives out sockets").block_on(run)
}
