//! What an error means for other attempts, and for the parts of its request.

use http::StatusCode;
use trysail_core::{Class, Remedy, Retryable};

use super::{EmbedError, Kind};
use crate::{
    capacity::Unit,
    request::history::{Likeness, Told},
    validate::Flaw,
};

impl EmbedError {
    /// It says nothing about the server's health.
    pub(crate) fn neutral(self) -> Self {
        Self { verdict: self.verdict.neutral(), ..self }
    }

    /// Blamed on an input, after so many attempts that failed alike: it is not to be asked again.
    pub(crate) fn blamed(self, alike: u32) -> Self {
        Self { verdict: self.verdict.once().neutral().advise(Remedy::Split), alike, ..self }
    }

    /// What is wrong with the vectors of an answer, if that is what went wrong.
    pub(crate) const fn flaw(&self) -> Option<Flaw> {
        match self.kind {
            Kind::Flaw(flaw) => Some(flaw),
            _ => None,
        }
    }

    /// Whether the server has understood the request, and refused it.
    pub(crate) fn is_heard(&self) -> bool {
        self.status().is_some() && self.verdict.class() == Class::Permanent
    }

    /// In what it is the same as another.
    pub(crate) fn likeness(&self) -> Likeness {
        match &self.kind {
            Kind::Answer(answer) => {
                let words = answer.message.as_deref().unwrap_or_default();
                Likeness::of((answer.status, &answer.code), words)
            }
            Kind::Flaw(flaw) => Likeness::of(flaw.rule(), ""),
            Kind::Silence => Likeness::SILENCE,
            Kind::Elapsed(_) | Kind::Open(_) | Kind::Held(_) | Kind::TooMuch(_) => Likeness::of("", ""),
            // In other words on a connection that was used before.
            Kind::Service { .. } => Likeness::of("no answer", ""),
        }
    }

    /// What it means for the parts of the request, before anything is known of other attempts.
    pub(crate) fn told(&self) -> Told {
        let unit = match &self.kind {
            Kind::Answer(answer) if answer.status == StatusCode::PAYLOAD_TOO_LARGE => Unit::Bytes,
            _ => Unit::Inputs,
        };
        match (self.verdict.class(), self.verdict.remedy()) {
            // A firewall may mean one input.
            (Class::Auth, _) if self.status() == Some(StatusCode::FORBIDDEN) => {
                Told::AllUnlessAnswered(self.likeness())
            }
            (Class::Auth | Class::QuotaExhausted, _) => Told::All,
            (_, Some(Remedy::Split)) => Told::TooMuch(unit),
            (_, Some(Remedy::Truncate)) => Told::TooLong,
            (Class::Permanent, _) => match &self.kind {
                _ if self.is_unknown_model() => Told::AllUnlessAnswered(self.likeness()),
                Kind::Answer(answer) if answer.status.is_redirection() => Told::All,
                Kind::Answer(answer) if answer.of_all => Told::AllUnlessAnswered(self.likeness()),
                Kind::Answer(_) | Kind::Flaw(_) => Told::Refused(self.likeness()),
                _ => Told::All,
            },
            (Class::Malformed, _) if self.verdict.retry() == Retryable::No => Told::Refused(self.likeness()),
            _ => Told::Nothing,
        }
    }
}

/// Whether a refusal speaks of what all requests have in common: a parameter, and not an input.
pub(super) fn speaks_of_all(message: &str) -> bool {
    let lower = message.to_lowercase();
    OF_ALL.iter().any(|words| lower.contains(words))
}

const OF_ALL: &[&str] = &[
    "dimension",
    "unknown parameter",
    "unknown field",
    "unknown argument",
    "unrecognized request argument",
    "unrecognized field",
    "unsupported parameter",
    "unsupported field",
    "extra fields not permitted",
    "extra inputs are not permitted",
    "unexpected keyword",
    "api version",
    "api-version",
];
