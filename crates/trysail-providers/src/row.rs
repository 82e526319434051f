use trysail_core::Verdict;

use crate::{caller, clause};

/// One line of a table: a sign of a known server, and what it means.
#[derive(Debug)]
pub(super) struct Row {
    name: &'static str,
    sign: Sign,
    phrases: &'static [&'static str],
    words: &'static [&'static str],
    clause: &'static [&'static [&'static str]],
    unless: &'static [&'static str],
    statuses: &'static [u16],
    verdict: Verdict,
}

/// How a row is recognised; the earlier kinds are asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    /// A number in the shape of its family.
    Number,
    /// A machine code that settles it.
    Code,
    /// A phrase of the server's own, where no code does.
    Phrase,
    /// A code that says little: what the message says is more.
    Vague,
    /// The status alone.
    Status,
    /// What runs at once, in the words of an answer that was judged a spent quota.
    Flight,
    /// A period in the words of an answer that was judged throttled.
    Window,
}

impl Row {
    /// What a row is recognised by stands behind the slash of its name, unless it has phrases.
    pub(super) const fn number(name: &'static str, verdict: Verdict) -> Self {
        Self::new(name, Sign::Number, verdict)
    }

    pub(super) const fn code(name: &'static str, verdict: Verdict) -> Self {
        Self::new(name, Sign::Code, verdict)
    }

    pub(super) const fn vague(name: &'static str, verdict: Verdict) -> Self {
        Self::new(name, Sign::Vague, verdict)
    }

    pub(super) const fn status(name: &'static str, verdict: Verdict) -> Self {
        Self::new(name, Sign::Status, verdict)
    }

    pub(super) const fn phrase(name: &'static str, phrases: &'static [&'static str], verdict: Verdict) -> Self {
        Self::new(name, Sign::Phrase, verdict).saying(phrases)
    }

    pub(super) const fn flight(name: &'static str, phrases: &'static [&'static str], verdict: Verdict) -> Self {
        Self::new(name, Sign::Flight, verdict).saying(phrases)
    }

    pub(super) const fn window(name: &'static str, phrases: &'static [&'static str], verdict: Verdict) -> Self {
        Self::new(name, Sign::Window, verdict).saying(phrases)
    }

    /// Where the message holds one of `words` that is no part of a longer word.
    pub(super) const fn period(name: &'static str, words: &'static [&'static str], verdict: Verdict) -> Self {
        Self { words, ..Self::new(name, Sign::Window, verdict) }
    }

    const fn new(name: &'static str, sign: Sign, verdict: Verdict) -> Self {
        Self { name, sign, phrases: &[], words: &[], clause: &[], unless: &[], statuses: &[], verdict }
    }

    /// Only where the message holds one of `phrases`, in lower case; `*` stands for anything, a leading `^` for the start.
    pub(super) const fn saying(self, phrases: &'static [&'static str]) -> Self {
        Self { phrases, ..self }
    }

    /// Where a clause of the message has a word of each of `groups`.
    pub(super) const fn clause(
        name: &'static str,
        groups: &'static [&'static [&'static str]],
        verdict: Verdict,
    ) -> Self {
        Self { clause: groups, ..Self::new(name, Sign::Phrase, verdict) }
    }

    /// Only where it holds none of `phrases`.
    pub(super) const fn unless(self, phrases: &'static [&'static str]) -> Self {
        Self { unless: phrases, ..self }
    }

    /// Only with one of `statuses`.
    pub(super) const fn on(self, statuses: &'static [u16]) -> Self {
        Self { statuses, ..self }
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) const fn sign(&self) -> Sign {
        self.sign
    }

    #[cfg(test)]
    pub(super) const fn phrases(&self) -> &'static [&'static str] {
        self.phrases
    }

    #[cfg(test)]
    pub(super) const fn words(&self) -> &'static [&'static str] {
        self.words
    }

    #[cfg(test)]
    pub(super) const fn groups(&self) -> &'static [&'static [&'static str]] {
        self.clause
    }

    #[cfg(test)]
    pub(super) const fn statuses(&self) -> &'static [u16] {
        self.statuses
    }

    pub(super) const fn verdict(&self) -> Verdict {
        self.verdict
    }

    pub(super) fn family(&self) -> &'static str {
        self.name.split_once('/').map_or(self.name, |(family, _)| family)
    }

    /// The code, number or status it is recognised by.
    pub(super) fn word(&self) -> &'static str {
        self.name.split_once('/').map_or(self.name, |(_, word)| word)
    }

    pub(super) fn allows(&self, status: u16) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status)
    }

    /// Whether it outranks `status`, as one that names it does; `own` if it is a family's own sign.
    pub(super) fn outranks(&self, status: u16, own: bool) -> bool {
        self.statuses.contains(&status) || caller::gives_way(status, self.verdict, own)
    }

    /// Whether `lower`, text in lower case, says one of the phrases.
    pub(super) fn said(&self, lower: &str) -> bool {
        let any = |phrases: &[&str]| phrases.iter().any(|phrase| says(lower, phrase));
        (self.phrases.is_empty() || any(self.phrases))
            && (self.words.is_empty() || self.words.iter().any(|word| clause::holds(lower, word)))
            && (self.clause.is_empty() || clause::says(lower, self.clause))
            && !any(self.unless)
    }
}

/// Whether `word` is the code `known`, however it is written: `RateLimitError` is `rate_limit_exception`.
pub(super) fn same(known: &str, word: &str) -> bool {
    letters(known).eq(letters(word))
}

fn letters(word: &str) -> impl Iterator<Item = u8> {
    let suffix = ENDINGS.iter().find(|ending| {
        let at = word.len().checked_sub(ending.len());
        at.is_some_and(|at| at > 0 && word.as_bytes()[at..].eq_ignore_ascii_case(ending.as_bytes()))
    });
    let stem = &word.as_bytes()[..word.len() - suffix.map_or(0, |ending| ending.len())];
    stem.iter().filter(|b| !matches!(b, b'_' | b'-' | b' ')).map(u8::to_ascii_lowercase)
}

fn says(lower: &str, phrase: &str) -> bool {
    let (first, phrase) = phrase.strip_prefix('^').map_or((false, phrase), |phrase| (true, phrase));
    if first && !lower.starts_with(phrase) {
        return false;
    }
    let mut rest = lower;
    phrase.split('*').all(|part| {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
        true
    })
}

const ENDINGS: &[&str] = &["error", "exception"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_in_every_spelling() {
        for word in ["RateLimitError", "rate_limit_error", "rate-limit", "RATE_LIMIT_EXCEPTION", "Rate Limit"] {
            assert!(same("rate_limit_error", word), "{word}");
        }
        for word in ["rate_limit_exceeded", "error", "", "rate", "é"] {
            assert!(!same("rate_limit_error", word), "{word}");
        }
        assert!(same("error", "Error"));
    }

    #[test]
    fn a_phrase_may_have_gaps() {
        assert!(says("limited to 40 api calls / month.", "limited to * / month"));
        assert!(!says("/ month limited to", "limited to * / month"));
        assert!(says("", ""));
    }
}
