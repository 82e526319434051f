//! Why a line has no vector, in a sentence.

use std::error::Error;

use trysail::{
    Class, Classified, EmbedError, RetryReport,
    retry::Stop,
    verdict::{Hold, OneLine},
};

use crate::{heard::Heard, watched::Settings};

/// What a failure means for the lines that it befell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reason {
    pub(crate) class: &'static str,
    pub(crate) message: String,
    pub(crate) attempts: u32,
}

impl Reason {
    /// Of a call that failed with `error`.
    pub(crate) fn of(error: &EmbedError, report: &RetryReport, heard: &Heard, settings: &Settings) -> Self {
        let class = error.verdict().class();
        let attempts = report.attempts() - report.refusals();
        let advice = match class {
            Class::Auth if !settings.keyed && error.status().is_some() => {
                Some("no key was sent; set OPENAI_API_KEY, or name its variable by --api-key-env")
            }
            _ => held(error).or_else(|| error.advice()),
        };
        let advice = advice.map(|advice| match error.location() {
            Some(location) => format!("{advice}: --url {location}"),
            None => advice.to_owned(),
        });
        let parts = [Some(chain(error)), stopped(error, report, heard, settings), advice];
        let parts: Vec<_> = parts.iter().flatten().map(|part| part.trim_end_matches('.')).collect();
        Self { class: written(class), message: parts.join("; "), attempts }
    }

    /// Of a line that was not sent for this reason.
    pub(crate) fn unsent(&self) -> Self {
        let message = format!("not sent, since another line ended the run: {}", self.message);
        Self { class: self.class, message, attempts: 0 }
    }
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

/// What to do about a batch that was held back for the sake of a rate limit.
fn held(error: &EmbedError) -> Option<&'static str> {
    match error.held()?.hold() {
        Hold::Rate => Some("give batches more time (--deadline), or more of the account (--rpm, --tpm) if it has more"),
        Hold::Pause => Some("give batches more time (--deadline), or begin later"),
        _ => None,
    }
}

/// Why the call was not repeated, where the error does not say so itself, and what its attempts met.
fn stopped(error: &EmbedError, report: &RetryReport, heard: &Heard, settings: &Settings) -> Option<String> {
    let attempts = report.attempts() - report.refusals();
    let tries = times(attempts, "one attempt", "attempts");
    let deadline = settings.deadline;
    let silent = attempts.saturating_sub(heard.all);
    let limit = settings.attempt;
    match report.stop() {
        // The attempt that has just failed is one of them.
        Some(Stop::Attempts | Stop::Deadline | Stop::Budget) if silent > 1 && heard.all == 0 => {
            Some(format!("{silent} times, until {}", why(report.stop(), settings)))
        }
        Some(Stop::Deadline | Stop::Patience) if report.last().is_some_and(|last| last.retry_after().is_some()) => {
            let asked = report.last()?.retry_after()?;
            Some(format!("the next try is due in {asked:?}, which does not fit into {deadline:?} (--deadline)"))
        }
        Some(Stop::Attempts) => Some(format!("given up after {tries} (--retries)")),
        Some(Stop::Deadline) => Some(format!("after {tries} another does not fit into {deadline:?} (--deadline)")),
        Some(Stop::Budget) => {
            Some(format!("after {tries} the retry budget had none left within {deadline:?} (--deadline)"))
        }
        None if error.verdict().class() == Class::Transient && attempts > 1 => {
            let mut met = vec![format!("the batch's time was up in attempt {attempts} (--deadline)")];
            if silent > 1 {
                let times = times(silent - 1, "once", "times");
                met.push(format!(
                    "before: no answer within the attempt limit of {limit:?} (--attempt-timeout), {times}"
                ));
            }
            if let Some(said) = &heard.said {
                met.push(format!("before: {said}, {}", times(heard.times, "once", "times")));
            }
            Some(met.join("; "))
        }
        _ => None,
    }
}

/// What has made an end of the attempts.
fn why(stop: Option<Stop>, settings: &Settings) -> String {
    match stop {
        Some(Stop::Attempts) => "the retries were used up (--retries)".to_owned(),
        Some(Stop::Budget) => "the retry budget was spent".to_owned(),
        _ => format!("no other fitted into {:?} (--deadline)", settings.deadline),
    }
}

fn times(count: u32, one: &str, several: &str) -> String {
    if count == 1 { one.to_owned() } else { format!("{count} {several}") }
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
