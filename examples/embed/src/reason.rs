//! Why a line has no vector, in a sentence.

use std::{error::Error, time::Duration};

use trysail::{Class, Classified, EmbedError, RetryReport, retry::Stop, verdict::OneLine};

/// What a batch's failure means for its lines.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    pub(crate) class: &'static str,
    pub(crate) message: String,
}

impl Reason {
    /// Of a call for so many `lines` that failed with `error`; `keyed` if a key was sent.
    pub(crate) fn of(error: &EmbedError, report: &RetryReport, lines: usize, deadline: Duration, keyed: bool) -> Self {
        let class = error.verdict().class();
        let advice = match class {
            Class::Auth if !keyed && error.status().is_some() => {
                Some("no key was sent; set OPENAI_API_KEY, or name its variable by --api-key-env")
            }
            _ => error.advice(),
        };
        let advice = advice.map(|advice| match error.location() {
            Some(location) => format!("{advice}: --url {location}"),
            None => advice.to_owned(),
        });
        let together = (class == Class::Permanent && lines > 1 && !ends_the_run(error, report))
            .then(|| format!("{lines} lines travelled together, so try a smaller --batch"));
        let parts = [Some(chain(error)), stopped(error, report, deadline), advice, together];
        let parts: Vec<_> = parts.iter().flatten().map(|part| part.trim_end_matches('.')).collect();
        Self { class: written(class), message: parts.join("; ") }
    }

    /// Of a line that was not sent for this reason.
    pub(crate) fn unsent(&self) -> Self {
        Self { class: self.class, message: format!("not sent, since an earlier line ended the run: {}", self.message) }
    }
}

/// Whether no later line can escape what this one met.
pub(crate) fn ends_the_run(error: &EmbedError, report: &RetryReport) -> bool {
    let asked_too_long =
        report.stop() == Some(Stop::Patience) && report.last().is_some_and(|verdict| verdict.class() != Class::Refused);
    let verdict = error.verdict();
    // A certificate, a proxy, or an address that is none: whatever is asked, it goes the same way.
    let on_the_way = error.status().is_none() && verdict.class() == Class::Permanent && verdict.remedy().is_none();
    let redirected = error.status().is_some_and(|status| status.is_redirection());
    matches!(verdict.class(), Class::Auth | Class::QuotaExhausted)
        || error.is_unknown_model()
        || asked_too_long
        || on_the_way
        || redirected
}

/// The error and its causes, up to where a server repeats the input.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = OneLine(error).to_string();
    if let Some(echo) = ECHOES.iter().filter_map(|name| text.find(name)).min() {
        text.replace_range(echo.., "…");
    }
    text
}

/// The class as a row spells it: a model that loads is one of the troubles that pass.
const fn written(class: Class) -> &'static str {
    match class {
        Class::Warming => Class::Transient.as_str(),
        class => class.as_str(),
    }
}

/// Why the call was not repeated, where the error does not say so itself.
fn stopped(error: &EmbedError, report: &RetryReport, deadline: Duration) -> Option<String> {
    let tries = match report.attempts() - report.refusals() {
        1 => "one attempt".to_owned(),
        several => format!("{several} attempts"),
    };
    match report.stop() {
        Some(Stop::Attempts) => Some(format!("given up after {tries} (--retries)")),
        Some(Stop::Deadline) => Some(format!("after {tries} another does not fit into {deadline:?} (--deadline)")),
        Some(Stop::Patience) => {
            let asked = report.last()?.retry_after()?;
            Some(format!("the next try is due in {asked:?}, which does not fit into {deadline:?} (--deadline)"))
        }
        None => {
            let before = report.last().filter(|_| error.verdict().class() == Class::Transient)?;
            Some(format!("given up in attempt {}, after a failure called {}", report.attempts(), before.class()))
        }
        _ => None,
    }
}

/// How the field of the request is written that an echo of it leads in with.
const ECHOES: &[&str] = &[
    "\"input\":",
    "\\\"input\\\":",
    "'input':",
    "\"inputs\":",
    "\\\"inputs\\\":",
    "'inputs':",
    "\"texts\":",
    "\\\"texts\\\":",
    "'texts':",
];
