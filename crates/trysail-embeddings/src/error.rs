use std::{error::Error, fmt};

use bytes::Bytes;
use http::{Response, StatusCode};
use trysail_core::{Class, Classified, Elapsed, Failure, Open, Remedy, Unanswered, Verdict};
use trysail_providers::{Providers, excerpt};

use crate::validate::Flaw;

/// Why there are no vectors.
///
/// Its words hold an [`excerpt`] of the server's own, without the key, and cut where they repeat the beginning of an
/// input; [`advice`](Self::advice) says what to do.
#[derive(Debug)]
pub struct EmbedError {
    verdict: Verdict,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Elapsed(Elapsed),
    Open(Open),
    Answer { status: StatusCode, rule: Option<&'static str>, code: Option<String>, message: Option<String> },
    Flaw(Flaw),
    Service(Unanswered),
}

impl EmbedError {
    /// The status of the server's answer, if that is what went wrong.
    pub const fn status(&self) -> Option<StatusCode> {
        match &self.kind {
            Kind::Answer { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The machine code in the server's answer, such as `insufficient_quota`.
    pub fn code(&self) -> Option<&str> {
        match &self.kind {
            Kind::Answer { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// The rule that decided, such as `openai/insufficient_quota`, `status/503` or `answer/count`; `None` where nothing
    /// was answered, or the service below has a judge of its own that decided otherwise.
    pub const fn rule(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Answer { rule, .. } => *rule,
            Kind::Flaw(flaw) => Some(flaw.rule()),
            _ => None,
        }
    }

    /// What the caller can do about it.
    pub fn advice(&self) -> Option<&'static str> {
        let verdict = self.verdict;
        Some(match (verdict.class(), verdict.remedy()) {
            (_, Some(Remedy::Split)) => "send fewer or shorter inputs at once",
            (_, Some(Remedy::Truncate)) => "shorten the input",
            (Class::Auth, _) => "check the API key and what it is entitled to",
            (Class::QuotaExhausted, _) | (_, Some(Remedy::Pay)) => {
                "waiting a few minutes does not help; check the account's plan and billing"
            }
            (Class::Permanent, _) if self.is_unknown_model() => "check the model's name and the URL",
            (Class::Permanent, _) => "the same request will fail again; change it",
            (Class::Throttled, _) => "send more slowly, or wait",
            _ => return None,
        })
    }

    /// Whether the server does not know the model, or the address.
    pub fn is_unknown_model(&self) -> bool {
        self.verdict.class() == Class::Permanent
            && (self.status() == Some(StatusCode::NOT_FOUND) || self.code() == Some("model_not_found"))
    }

    /// What went wrong, in words of which `redact` has taken out what is not to be shown.
    pub(crate) fn of<E>(failure: Failure<Response<Bytes>, E>, redact: impl Fn(&str) -> String) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        let verdict = failure.verdict();
        match failure {
            Failure::Elapsed(elapsed) => elapsed.into(),
            Failure::Open(open) => open.into(),
            Failure::Response { response, .. } => Self::answered(verdict, &response, redact),
            Failure::Service(unanswered) => Self { verdict, kind: Kind::Service(unanswered.untyped()) },
            other => Self { verdict, kind: Kind::Service(Unanswered::new(verdict, other.to_string().into())) },
        }
    }

    /// An answer that says it is an error.
    pub(crate) fn answered(verdict: Verdict, response: &Response<Bytes>, redact: impl Fn(&str) -> String) -> Self {
        let judgement = Providers.judge(response);
        let complaint = judgement.complaint();
        let shown = |text: &str| excerpt(&redact(text));
        let kind = Kind::Answer {
            status: response.status(),
            rule: (judgement.verdict().class() == verdict.class()).then_some(judgement.rule()),
            code: complaint.and_then(|complaint| complaint.code().or(complaint.kind())).map(shown),
            message: complaint.and_then(|complaint| complaint.message()).map(shown),
        };
        Self { verdict, kind }
    }
}

impl Classified for EmbedError {
    fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl From<Flaw> for EmbedError {
    fn from(flaw: Flaw) -> Self {
        Self { verdict: flaw.verdict(), kind: Kind::Flaw(flaw) }
    }
}

impl From<Elapsed> for EmbedError {
    fn from(elapsed: Elapsed) -> Self {
        Self { verdict: elapsed.verdict(), kind: Kind::Elapsed(elapsed) }
    }
}

impl From<Open> for EmbedError {
    fn from(open: Open) -> Self {
        Self { verdict: open.verdict(), kind: Kind::Open(open) }
    }
}

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Elapsed(_) => f.write_str("a time limit struck"),
            Kind::Open(_) => f.write_str("the call was refused"),
            Kind::Answer { status, code, message, .. } => {
                write!(f, "the server answered {}", status.as_u16())?;
                if let Some(code) = code {
                    write!(f, " {code}")?;
                }
                match message {
                    Some(message) => write!(f, ": {message}"),
                    None => Ok(()),
                }
            }
            Kind::Flaw(flaw) => write!(f, "the server's answer is not usable: {flaw}"),
            Kind::Service(_) => f.write_str("no answer from the server"),
        }
    }
}

impl Error for EmbedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Elapsed(elapsed) => Some(elapsed),
            Kind::Open(open) => Some(open),
            // The judgement, so that it is found in a box.
            Kind::Answer { .. } | Kind::Flaw(_) => Some(&self.verdict),
            Kind::Service(unanswered) => Some(&**unanswered),
        }
    }
}
