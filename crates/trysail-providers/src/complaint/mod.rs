//! What a failed answer says.

mod gather;
mod markup;
mod nested;
mod number;

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde_json::Value;

use self::gather::Gather;
pub(super) use self::number::Number;
use crate::{excerpt, read::Read};

/// What a failed answer says: a machine code, a type and a message, wherever its author put them.
///
/// `Debug` shows an [`excerpt`] of the message: answers echo inputs and keys.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Complaint {
    code: Option<String>,
    kind: Option<String>,
    message: Option<String>,
    words: Vec<String>,
    lower: String,
    status: Option<u16>,
    number: Option<Number>,
    page: bool,
}

impl Complaint {
    /// What `response` complains about; in a 2xx only an error object counts.
    ///
    /// At most 64 KiB are looked at. A short text that is not JSON is the message itself.
    pub fn of(response: &Response<Bytes>) -> Option<Self> {
        let answer = Read::of(response, response.body());
        if answer.status.is_success() { Self::inside(answer) } else { Self::anywhere(answer) }
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

    /// The whole body is about an error.
    pub(super) fn anywhere(answer: Read<'_>) -> Option<Self> {
        let text = text(answer.body);
        let mut gather = Gather::default();
        match serde_json::from_str::<Value>(text.trim()) {
            Ok(value) => gather.value(&value),
            Err(_) => gather.text(&text),
        }
        gather.headers(answer.headers);
        Self::new(gather)
    }

    /// An answer that may hold an error among other things.
    pub(super) fn inside(answer: Read<'_>) -> Option<Self> {
        let text = text(answer.body);
        let mut gather = Gather::default();
        match serde_json::from_str::<Value>(text.trim()) {
            Ok(value) => gather.error_of(&value),
            Err(_) => _ = gather.events(&text),
        }
        Self::new(gather)
    }

    fn new(gather: Gather) -> Option<Self> {
        let Gather { code, kind, message, title, words, lower, status, number, page } = gather;
        let code = code.or_else(|| number.map(|number| number.to_string())).or_else(|| status.map(|s| s.to_string()));
        let complaint = Self { code, kind, message: message.or(title), words, lower, status, number, page };
        (complaint != Self::default()).then_some(complaint)
    }

    /// Everything meant for machines, the most particular first.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// Everything meant for people, in lower case.
    pub(super) fn lower(&self) -> &str {
        &self.lower
    }

    /// Everything in lower case, the codes as the words they are made of: `EndpointRPMExceeded` is `endpoint rpm exceeded`.
    pub(super) fn spoken(&self) -> String {
        self.words().fold(self.lower.clone(), |mut spoken, word| {
            spoken.push('\n');
            spell(word, &mut spoken);
            spoken
        })
    }

    /// The status that stands in the body where a code should.
    pub(super) const fn status(&self) -> Option<u16> {
        self.status
    }

    /// The number in a shape of its own.
    pub(super) const fn number(&self) -> Option<Number> {
        self.number
    }

    /// Whether it is a page for browsers.
    pub(super) const fn is_page(&self) -> bool {
        self.page
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
    let body = unmarked(body).trim_ascii_start();
    let start = &body[..body.len().min(64)];
    match start.first() {
        // All needles hold an r, which is found out much faster.
        Some(b'{') if !start.contains(&b'r') => false,
        Some(b'{') => NEEDLES.iter().any(|needle| start.windows(needle.len()).any(|window| window == *needle)),
        _ => EVENTS.iter().any(|event| start.starts_with(event)),
    }
}

/// The start of the body, as far as it is worth looking at.
pub(super) fn text(body: &[u8]) -> Cow<'_, str> {
    let body = unmarked(body);
    String::from_utf8_lossy(&body[..body.len().min(MOST)])
}

/// `body` without the mark that some begin UTF-8 with.
pub(super) fn unmarked(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Writes the words that `code` is made of.
fn spell(code: &str, spoken: &mut String) {
    let mut before = ['\n'; 2];
    for c in code.chars() {
        let ends = |c: char| c.is_lowercase() || c.is_ascii_digit();
        match before {
            [_, b] if ends(b) && c.is_uppercase() => spoken.push(' '),
            // `RPMExceeded`: what begins the next word was taken for the end of this one.
            [a, b] if a.is_uppercase() && b.is_uppercase() && c.is_lowercase() => {
                let last = spoken.pop();
                spoken.push(' ');
                spoken.extend(last);
            }
            _ => {}
        }
        before = [before[1], c];
        if c.is_alphanumeric() { spoken.extend(c.to_lowercase()) } else { spoken.push(' ') }
    }
}

/// Codes that stand in the head.
fn header_words(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    HEADERS.iter().filter_map(|name| headers.get(*name)?.to_str().ok())
}

const MOST: usize = 64 * 1024;
/// `error`, and what begins with it.
const NEEDLES: &[&[u8]] = &[b"\"error", b"\"Error", b"\"base_resp\""];
const EVENTS: &[&[u8]] = &[b"event:", b"data:"];
const HEADERS: &[&str] =
    &["x-amzn-errortype", "x-amzn-query-error", "x-ms-error-code", "cf-mitigated", "x-ratelimit-type"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_spelled_as_its_words() {
        let table = [
            ("EndpointRPMExceeded", "endpoint rpm exceeded"),
            ("requests_per_minute", "requests per minute"),
            ("RateLimitExceeded.ModelAccountTpmRateLimit", "rate limit exceeded model account tpm rate limit"),
            ("TPM", "tpm"),
            ("tpm2Limit", "tpm2 limit"),
            ("", ""),
        ];
        for (code, words) in table {
            let mut spoken = String::new();
            spell(code, &mut spoken);
            assert_eq!(spoken, words);
        }
    }

    #[test]
    fn every_needle_holds_what_is_looked_for_first() {
        for needle in NEEDLES {
            assert!(may_hold_error(&[b"{", *needle].concat()), "{}", text(needle));
        }
    }
}
