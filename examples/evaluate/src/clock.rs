use std::future::Future;

use tokio::runtime;

/// Runs it to its end on a clock that jumps to the next timer whenever nothing else is to be done.
pub(crate) fn virtually<F: Future>(run: F) -> F::Output {
    block_on(runtime::Builder::new_current_thread().start_paused(true), run)
}

/// The same on the clock of the machine.
pub(crate) fn really<F: Future>(run: F) -> F::Output {
    block_on(&mut runtime::Builder::new_current_thread(), run)
}

fn block_on<F: Future>(builder: &mut runtime::Builder, run: F) -> F::Output {
    builder.enable_time().build().expect("timers need nothing of the system").block_on(run)
}
