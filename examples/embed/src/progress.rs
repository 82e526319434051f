//! The bar, and what is written above it.

use std::{
    io::{self, IsTerminal, Write},
    sync::Arc,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::{task::JoinHandle, time::Instant};
use tracing_subscriber::fmt::MakeWriter;

use crate::board::Board;

/// A bar on standard error, if that is a terminal. Clones are the same bar.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    /// Of a job that reads `size` bytes, if that is known.
    pub(crate) fn of(size: Option<u64>) -> Self {
        let (bar, template) = match size {
            Some(size) => (ProgressBar::new(size), KNOWN),
            None => (ProgressBar::no_length(), UNKNOWN),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template).expect("the templates are right");
        bar.set_style(style.progress_chars("━╸─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        Self { bar }
    }

    /// Keeps it moving until it is [cleared](Self::clear).
    pub(crate) fn follow(&self, board: Arc<Board>) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let started = Instant::now();
            let mut ticks = tokio::time::interval(TICK);
            while !this.bar.is_finished() {
                let now = ticks.tick().await;
                let (lines, read) = board.so_far();
                let rate = lines as f64 / (now - started).as_secs_f64().max(0.1);
                let waits = board.waits(now).map(|waits| format!(" · {waits}")).unwrap_or_default();
                this.bar.set_message(format!("{lines} lines, {rate:.0}/s{waits}"));
                this.bar.set_position(read);
                this.bar.tick();
            }
        })
    }

    /// Takes it off the screen.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Writes logs above the bar.
impl MakeWriter<'_> for Progress {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Write for Progress {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bar.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Whether colours are welcome on standard error.
pub(crate) fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

const KNOWN: &str = "{bar:24} {percent:>3}% ETA {eta} · {wide_msg}";
const UNKNOWN: &str = "{spinner} {elapsed} · {wide_msg}";
const TICK: Duration = Duration::from_millis(100);
