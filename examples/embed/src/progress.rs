//! The bar, and what is written above it.

use std::{
    io::{self, IsTerminal, Write},
    sync::Arc,
    time::Duration,
};

use console::{Term, measure_text_width};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::{task::JoinHandle, time::Instant};
use tracing_subscriber::fmt::MakeWriter;

use crate::board::{Board, Waits};

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
                let pace = format!("{lines} lines, {rate:.0}/s{}", this.left());
                let message = match board.waits(now) {
                    // First what may be news.
                    Some(Waits { what, failure: Some(failure) }) => format!("{what} · {pace} · {failure}"),
                    Some(Waits { what, failure: None }) => format!("{what} · {pace}"),
                    None => pace,
                };
                let (_, columns) = Term::stderr().size();
                this.bar.set_message(cut(&message, usize::from(columns).saturating_sub(BESIDE)));
                this.bar.set_position(read);
                this.bar.tick();
            }
        })
    }

    /// How long it will take, if that is known.
    fn left(&self) -> String {
        match self.bar.length() {
            Some(_) if self.bar.position() > 0 => format!(", {:#} left", HumanDuration(self.bar.eta())),
            _ => String::new(),
        }
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

/// `text` in so many columns, cut behind a word.
fn cut(text: &str, columns: usize) -> String {
    if measure_text_width(text) <= columns {
        return text.to_owned();
    }
    let fits = |end: &usize| measure_text_width(&text[..*end]) < columns;
    let ends = text.match_indices(' ').map(|(at, _)| at);
    let end = ends.take_while(fits).last().unwrap_or(0);
    format!("{}…", text[..end].trim_end_matches([' ', '·', ',', ':', ';']))
}

const KNOWN: &str = "{bar:16} {percent:>3}% {msg}";
const UNKNOWN: &str = "{spinner} {elapsed:>4} {msg}";
/// How many columns bar and percentage take.
const BESIDE: usize = 23;
const TICK: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_behind_a_word() {
        let table = [
            ("throttled: next try in 3.2 s", 80, "throttled: next try in 3.2 s"),
            ("throttled: next try in 3.2 s", 28, "throttled: next try in 3.2 s"),
            ("throttled: next try in 3.2 s", 27, "throttled: next try in 3.2…"),
            ("throttled: next try in 3.2 s", 14, "throttled…"),
            ("12 lines, 3/s · 海は広い な", 22, "12 lines, 3/s…"),
            ("unbreakable", 4, "…"),
        ];
        for (text, columns, right) in table {
            assert_eq!(cut(text, columns), right);
            assert!(measure_text_width(&cut(text, columns)) <= columns);
        }
    }
}
