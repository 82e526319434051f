mod told;

use std::{error::Error, fmt, io, iter::successors};

use bytes::Bytes;
use http::{Response, StatusCode, Uri};
use trysail_core::{
    Allowance, Class, Classified, Elapsed, Failure, Held, Hold, OneLine, Open, Remedy, Unanswered, Verdict,
};
use trysail_http::{NotFollowed, rate_limit::allowance};
use trysail_providers::{InputLimit, Providers, excerpt};

use crate::{asked::Asked, capacity::Room, validate::Flaw};

/// Why there are no vectors.
///
/// Its words hold an [`excerpt`] of the server's own, without the key, and cut where they repeat the beginning of an
/// input; [`advice`](Self::advice) says what to do. `{}` says what happened in one line, and `{:?}` adds the verdict and
/// the advice, for a `main` that returns it.
pub struct EmbedError {
    verdict: Verdict,
    kind: Kind,
    /// How many attempts failed like this before it was blamed on an input; 0 unless it was.
    alike: u32,
}

enum Kind {
    Elapsed(Elapsed),
    Open(Open),
    Held(Held),
    Answer(Box<Answer>),
    Flaw(Flaw),
    Service {
        unanswered: Unanswered,
        said: String,
    },
    /// Not sent: the server takes no more than so many inputs or bytes.
    TooMuch(Room),
    /// Attempts were given up before there was an answer.
    Silence,
}

/// What a server says that does not do what was asked.
struct Answer {
    status: StatusCode,
    rule: Option<&'static str>,
    code: Option<String>,
    message: Option<String>,
    /// Where it was asked, if that may be what is wrong.
    address: Option<Uri>,
    /// Whether it could have known who asks.
    keyed: bool,
    /// Whether it speaks of what all requests have in common.
    of_all: bool,
    limit: Option<InputLimit>,
    /// Where it points instead of answering.
    pointer: Option<Pointer>,
    /// Whether it was asked in http and wants https.
    wants_https: bool,
    allowance: Allowance,
}

/// A redirect that was not followed.
struct Pointer {
    said: String,
    url: Option<String>,
    is_elsewhere: bool,
}

impl EmbedError {
    /// The status of the server's answer, if that is what went wrong.
    pub const fn status(&self) -> Option<StatusCode> {
        match &self.kind {
            Kind::Answer(answer) => Some(answer.status),
            _ => None,
        }
    }

    /// The machine code in the server's answer, such as `insufficient_quota`.
    pub fn code(&self) -> Option<&str> {
        match &self.kind {
            Kind::Answer(answer) => answer.code.as_deref(),
            _ => None,
        }
    }

    /// The rule that decided, such as `openai/insufficient_quota`, `status/503` or `answer/count`; `None` where nothing
    /// was answered, or the service below has a judge of its own that decided otherwise.
    pub const fn rule(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Answer(answer) => answer.rule,
            Kind::Flaw(flaw) => Some(flaw.rule()),
            _ => None,
        }
    }

    /// How much the server takes at once, if it has refused more and said so.
    pub fn limit(&self) -> Option<InputLimit> {
        match &self.kind {
            Kind::Answer(answer) => answer.limit,
            _ => None,
        }
    }

    /// What held the call back, if it was not sent for the sake of a rate limit.
    pub const fn held(&self) -> Option<Held> {
        match self.kind {
            Kind::Held(held) => Some(held),
            _ => None,
        }
    }

    /// What the server says is left of its limits.
    pub fn allowance(&self) -> Allowance {
        match &self.kind {
            Kind::Answer(answer) => answer.allowance,
            _ => Allowance::default(),
        }
    }

    /// The URL to use instead, if the server points to one that was not followed: as an endpoint's base it is asked as it
    /// is. It shows neither a user nor a query.
    pub fn location(&self) -> Option<&str> {
        self.pointer()?.url.as_deref()
    }

    /// What the caller can do about it.
    pub fn advice(&self) -> Option<&'static str> {
        let verdict = self.verdict;
        if let Some(pointer) = self.pointer() {
            return Some(match pointer {
                Pointer { url: Some(_), is_elsewhere: true, .. } => "use that URL, if you trust it with the key",
                Pointer { url: Some(_), .. } => "use that URL",
                Pointer { url: None, .. } => "check the URL",
            });
        }
        if let Some(advice) = self.held().and_then(|held| how_to_pass(held.hold())) {
            return Some(advice);
        }
        Some(match (verdict.class(), verdict.remedy()) {
            // Whatever stands between us and the server says itself what to do.
            (Class::Auth | Class::Permanent, None) if matches!(self.kind, Kind::Service { .. }) => {
                "asking again does not help"
            }
            _ if self.alike > 0 => return None,
            (_, Some(Remedy::Split)) => "send fewer or shorter inputs at once",
            (_, Some(Remedy::Truncate)) => "shorten the input",
            (Class::Auth, _) if matches!(&self.kind, Kind::Answer(answer) if !answer.keyed) => {
                "no key was sent: give the endpoint one by `.key(…)`"
            }
            (Class::Auth, _) => "check the API key and what it is entitled to",
            (Class::QuotaExhausted, _) | (_, Some(Remedy::Pay)) => {
                "waiting a few minutes does not help; check the account's plan and billing"
            }
            (Class::Permanent, _) if self.wants_https() => "that port speaks https: write https:// instead of http://",
            (Class::Permanent, _) if self.is_unknown_model() => "check the model's name and the URL",
            (Class::Permanent, _) => "the same request will fail again; change it",
            (Class::Throttled, _) => "send more slowly, or wait",
            _ if self.is_refused() => "nothing listens at that address: check that the server runs, and its port",
            _ => return None,
        })
    }

    /// Whether the server does not know the model, or the address.
    pub fn is_unknown_model(&self) -> bool {
        let unknown = self.status() == Some(StatusCode::NOT_FOUND) || self.code() == Some("model_not_found");
        let unknown = unknown || self.rule() == Some(UNKNOWN_ROUTE);
        self.verdict.class() == Class::Permanent && (unknown || self.wants_https())
    }

    fn wants_https(&self) -> bool {
        matches!(&self.kind, Kind::Answer(answer) if answer.wants_https)
    }

    fn pointer(&self) -> Option<&Pointer> {
        match &self.kind {
            Kind::Answer(answer) => answer.pointer.as_ref(),
            _ => None,
        }
    }

    /// Whether no server listens where it was looked for.
    fn is_refused(&self) -> bool {
        let mut causes = successors(self.source(), |cause| (*cause).source());
        causes.any(|cause| cause.downcast_ref().map(io::Error::kind) == Some(io::ErrorKind::ConnectionRefused))
    }

    /// What went wrong when `asked`, in words without what is not to be shown.
    pub(crate) fn of<E>(failure: Failure<Response<Bytes>, E>, asked: Asked<'_>) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        let verdict = failure.verdict();
        match failure {
            Failure::Elapsed(elapsed) => elapsed.into(),
            Failure::Open(open) => open.into(),
            Failure::Held(held) => held.into(),
            Failure::Response { response, .. } => Self::answered(verdict, &response, asked),
            Failure::Service(unanswered) => Self::unanswered(unanswered.untyped(), asked),
            other => Self::unanswered(Unanswered::new(verdict, other.to_string().into()), asked),
        }
    }

    fn unanswered(unanswered: Unanswered, asked: Asked<'_>) -> Self {
        let cause = asked.redact(&OneLine(unanswered.cause()).to_string());
        let said = format!("no answer from {}: {cause}", asked.origin());
        Self::new(unanswered.verdict(), Kind::Service { unanswered, said })
    }

    /// An answer that says it is an error.
    pub(crate) fn answered(verdict: Verdict, response: &Response<Bytes>, asked: Asked<'_>) -> Self {
        let judgement = Providers.judge(response);
        let complaint = judgement.complaint();
        let shown = |text: &str| excerpt(&asked.redact(text));
        let status = response.status();
        let unknown = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
            || judgement.rule() == UNKNOWN_ROUTE;
        let answer = Answer {
            allowance: allowance(response.headers()),
            status,
            rule: (judgement.verdict().class() == verdict.class()).then_some(judgement.rule()),
            code: complaint.and_then(|complaint| complaint.code().or(complaint.kind())).map(shown),
            message: complaint.and_then(|complaint| complaint.message()).map(shown),
            address: unknown.then(|| asked.endpoint.uri().clone()),
            keyed: asked.holds_key(),
            limit: judgement.limit(),
            of_all: unknown || complaint.and_then(|complaint| complaint.message()).is_some_and(told::speaks_of_all),
            wants_https: status == StatusCode::BAD_REQUEST
                && asked.endpoint.uri().scheme_str() == Some("http")
                && wants_https(response.body()),
            pointer: NotFollowed::of(response, asked.endpoint.uri()).map(|stays| Pointer {
                said: asked.redact(&stays.to_string()),
                url: stays.to().and_then(|to| to.split('?').next()).map(|to| asked.redact(to)),
                is_elsewhere: stays.is_elsewhere(),
            }),
        };
        Self::new(verdict, Kind::Answer(Box::new(answer)))
    }

    /// Of a request that was not sent, since the server takes no more than there is `room` for.
    pub(crate) const fn too_much(room: Room) -> Self {
        Self::new(Verdict::PERMANENT.neutral().advise(Remedy::Split), Kind::TooMuch(room))
    }

    /// Of a request to which there was no answer, time and again.
    pub(crate) const fn silence() -> Self {
        Self::new(Verdict::TRANSIENT, Kind::Silence)
    }

    const fn new(verdict: Verdict, kind: Kind) -> Self {
        Self { verdict, kind, alike: 0 }
    }
}

impl Classified for EmbedError {
    fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl From<Flaw> for EmbedError {
    fn from(flaw: Flaw) -> Self {
        Self::new(flaw.verdict(), Kind::Flaw(flaw))
    }
}

impl From<Elapsed> for EmbedError {
    fn from(elapsed: Elapsed) -> Self {
        Self::new(elapsed.verdict(), Kind::Elapsed(elapsed))
    }
}

impl From<Open> for EmbedError {
    fn from(open: Open) -> Self {
        Self::new(open.verdict(), Kind::Open(open))
    }
}

impl From<Held> for EmbedError {
    fn from(held: Held) -> Self {
        Self::new(held.verdict(), Kind::Held(held))
    }
}

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Elapsed(elapsed) => elapsed.fmt(f),
            Kind::Open(open) => open.fmt(f),
            Kind::Held(held) => held.fmt(f),
            Kind::Answer(answer) => {
                let Answer { status, code, message, address, pointer, .. } = &**answer;
                write!(f, "the server answered {}", status.as_u16())?;
                if let Some(pointer) = pointer {
                    return write!(f, " and {}", pointer.said);
                }
                if let Some(address) = address {
                    write!(f, " at {address}")?;
                }
                if let Some(code) = code.as_deref().filter(|code| *code != status.as_str()) {
                    write!(f, " {code}")?;
                }
                match message {
                    Some(message) => write!(f, ": {message}"),
                    None => Ok(()),
                }
            }
            Kind::Flaw(flaw) => write!(f, "the server's answer is not usable: {flaw}"),
            Kind::Service { said, .. } => f.write_str(said),
            Kind::TooMuch(Room { inputs: usize::MAX, bytes }) => {
                write!(f, "not sent: the server has refused more than {bytes} bytes at once")
            }
            Kind::TooMuch(Room { inputs, .. }) => {
                write!(f, "not sent: the server has refused more than {inputs} inputs at once, or not answered in time")
            }
            Kind::Silence => f.write_str("no answer within the limit of an attempt"),
        }?;
        match self.alike {
            0 => Ok(()),
            times => write!(f, "; {times} requests with this input ended so, while others were answered"),
        }
    }
}

impl fmt::Debug for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("EmbedError");
        debug.field("said", &format_args!("{self}")).field("verdict", &self.verdict);
        if let Some(rule) = self.rule() {
            debug.field("rule", &format_args!("{rule}"));
        }
        if let Some(advice) = self.advice() {
            debug.field("advice", &format_args!("{advice}"));
        }
        debug.finish()
    }
}

impl Error for EmbedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Elapsed(elapsed) => Some(elapsed),
            Kind::Open(open) => Some(open),
            Kind::Held(held) => Some(held),
            // The judgement, so that it is found in a box.
            Kind::Answer(_) | Kind::Flaw(_) | Kind::TooMuch(_) | Kind::Silence => Some(&self.verdict),
            Kind::Service { unanswered, .. } => Some(&**unanswered),
        }
    }
}

/// What to do where calls come faster than they may be sent.
const fn how_to_pass(hold: Hold) -> Option<&'static str> {
    match hold {
        Hold::Rate => Some("give the call more time, or raise the rate if the account has more"),
        Hold::Pause => Some("give the call more time, or wait"),
        Hold::Queue | Hold::InFlight => Some("send more slowly, or wait"),
        // The verdict says it.
        _ => None,
    }
}

/// What an address is judged by that the server does not know.
const UNKNOWN_ROUTE: &str = "generic/route";

/// Whether a server of https complains that it was spoken to in http, as those of nginx, Go and Apache do.
fn wants_https(body: &[u8]) -> bool {
    let said = String::from_utf8_lossy(&body[..body.len().min(4_096)]).to_ascii_lowercase();
    PLAIN_TO_HTTPS.iter().any(|phrase| said.contains(phrase))
}

const PLAIN_TO_HTTPS: &[&str] =
    &["http request was sent to https port", "http request to an https server", "plain http to an ssl-enabled server"];
