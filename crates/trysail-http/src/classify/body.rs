use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use crate::{
    classify::dialect::{NEEDLES, Spoken},
    excerpt,
};

/// What a failed answer says: a machine code, a type and a message, wherever its author put them.
///
/// `Debug` shows an [`excerpt`] of the message: answers echo inputs and keys.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Complaint {
    code: Option<String>,
    kind: Option<String>,
    message: Option<String>,
    header: Option<String>,
    spoken: Option<Spoken>,
}

impl Complaint {
    /// What `response` complains about; in a 2xx only an error object counts.
    ///
    /// At most 64 KiB are looked at. A short text that is not JSON is the message itself.
    pub fn of(response: &Response<Bytes>) -> Option<Self> {
        let text = text(response.body())?;
        let value = serde_json::from_str::<Value>(text);
        if let Ok(value) = &value
            && let Some((spoken, message)) = Spoken::of(value)
        {
            let message = message.map(str::to_owned);
            return Some(Self {
                code: Some(spoken.code().to_string()),
                message,
                spoken: Some(spoken),
                ..Self::default()
            });
        }
        if response.status().is_success() {
            return find(value.ok()?.get("error")?);
        }
        let complaint = value.map_or_else(|_| plain(text), |value| find(&value)).unwrap_or_default();
        let header = HEADERS.iter().find_map(|name| response.headers().get(*name)?.to_str().ok());
        // Some servers put an address behind the code.
        let header = header.and_then(|code| code.split(':').next()).map(str::to_owned);
        Self { header, ..complaint }.unless_empty()
    }

    /// The machine code, such as `insufficient_quota`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The type, such as `invalid_request_error`.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// The words for people, as they came: show an [`excerpt`] of them.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The status that stands in the body where a code should.
    pub(super) fn status(&self) -> Option<StatusCode> {
        self.code()?.parse().ok()
    }

    fn unless_empty(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }

    /// The code of a provider that has its own.
    pub(super) fn spoken(&self) -> Option<Spoken> {
        self.spoken
    }

    /// Everything meant for machines, the most particular first.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        [&self.code, &self.kind, &self.header].into_iter().filter_map(|word| word.as_deref())
    }
}

impl fmt::Debug for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Complaint")
            .field("code", &self.code)
            .field("kind", &self.kind)
            .field("message", &self.message().map(excerpt))
            .finish_non_exhaustive()
    }
}

/// Whether a 2xx is worth a closer look: parsing every good answer twice would cost more than it finds.
pub(super) fn may_hold_error(body: &[u8]) -> bool {
    let body = body.trim_ascii_start();
    let start = &body[..body.len().min(64)];
    start.first() == Some(&b'{')
        && NEEDLES.iter().any(|needle| start.windows(needle.len()).any(|window| window == *needle))
}

/// The body, if it is text of a size that is worth looking at.
pub(super) fn text(body: &[u8]) -> Option<&str> {
    (body.len() <= MOST).then(|| str::from_utf8(body).ok()).flatten()
}

fn find(value: &Value) -> Option<Complaint> {
    let fields = match value {
        Value::String(message) => return plain(message),
        Value::Array(values) => return values.iter().find_map(find),
        Value::Object(fields) => fields,
        _ => return None,
    };
    let own = Complaint {
        code: CODES.iter().find_map(|name| scalar(fields.get(*name)?)),
        kind: KINDS.iter().find_map(|name| fields.get(*name)?.as_str()).map(str::to_owned),
        message: MESSAGES.iter().find_map(|name| fields.get(*name)?.as_str()).map(str::to_owned),
        ..Complaint::default()
    };
    let nested = |names: &[&str]| names.iter().find_map(|name| find(fields.get(*name)?)).unwrap_or_default();
    let (error, detail) = (nested(ERRORS), nested(DETAILS));
    // A number repeats the status, where a detail may have a name for it.
    let (number, name) = if own.status().is_some() { (own.code, None) } else { (None, own.code) };
    Complaint {
        code: error.code.or(name).or(detail.code).or(number),
        kind: error.kind.or(own.kind).or(detail.kind),
        message: error.message.or(own.message).or(detail.message),
        ..Complaint::default()
    }
    .unless_empty()
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(code) => Some(code.clone()),
        Value::Number(code) => Some(code.to_string()),
        _ => None,
    }
}

fn plain(text: &str) -> Option<Complaint> {
    let text = text.trim();
    let markup = text.starts_with('<');
    (!text.is_empty() && !markup).then(|| Complaint { message: Some(text.to_owned()), ..Complaint::default() })
}

const MOST: usize = 64 * 1024;
const CODES: &[&str] = &["code", "reason", "error_code"];
const KINDS: &[&str] = &["type", "error_type", "__type", "status", "name"];
const MESSAGES: &[&str] = &["message", "msg", "error_msg", "title"];
const ERRORS: &[&str] = &["error", "errors"];
const DETAILS: &[&str] = &["detail", "details"];
const HEADERS: &[&str] = &["x-amzn-errortype", "x-ms-error-code"];
