//! What goes to standard error, apart from the bar.

use tracing_subscriber::EnvFilter;

use crate::{
    args::Args,
    progress::{Progress, colours},
    reason::Reason,
    summary::Summary,
    tally::Tally,
};

/// How this program speaks to whoever started it.
#[derive(Debug)]
pub(crate) struct Voice {
    json: bool,
    quiet: bool,
}

impl Voice {
    /// Begins to log, above the bar.
    pub(crate) fn new(args: &Args, progress: Progress) -> Self {
        // What is not named keeps to warnings.
        let filter = EnvFilter::new(format!("warn,{}", std::env::var("RUST_LOG").unwrap_or_default()));
        let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(progress);
        if args.json {
            logs.json().init();
        } else {
            logs.with_ansi(colours()).init();
        }
        Self { json: args.json, quiet: args.quiet }
    }

    /// Says what went wrong.
    pub(crate) fn complain(&self, problem: &str) {
        if self.json {
            eprintln!("{}", serde_json::json!({ "error": problem }));
        } else {
            eprintln!("embed: {problem}");
        }
    }

    /// Says how the run went, and why it `ended` before its time.
    pub(crate) fn conclude(&self, ended: Option<&Reason>, tally: &Tally, summary: &Summary) {
        match (ended, &tally.first_failure, tally.failures()) {
            (Some(reason), _, several) => {
                self.complain(&format!("{several} lines failed, and no more were sent: {}", reason.message));
            }
            (None, Some(only), 1) => self.complain(&format!("one line failed, {only}")),
            (None, Some(first), several) => {
                self.complain(&format!("{several} lines failed, the first of them {first}"))
            }
            (None, None, _) => {}
        }
        match (self.quiet, self.json) {
            (true, _) => {}
            (false, true) => eprintln!("{}", serde_json::json!({ "summary": summary })),
            (false, false) => eprintln!("{summary}"),
        }
    }
}
