use http::{HeaderMap, HeaderName};
use trysail_core::{Class, Verdict, Window};

use crate::{rate_limit, retry_after};

/// `verdict` with the server's own word on it: whether to ask again (`x-should-retry`), when
/// ([`retry_after::hint`]), and over what time the limit is counted that was met ([`rate_limit::window`]).
///
/// A server may forbid a retry of anything, and allow one where its answer is transient or throttled, or not `known`. A
/// limit that is counted over a day or longer is a spent quota.
pub fn heed(verdict: Verdict, known: bool, headers: &HeaderMap, body_text: Option<&str>) -> Verdict {
    let verdict = counted(verdict, headers);
    let verdict = asked(verdict, known, headers);
    match retry_after::hint(headers, body_text) {
        Some(hint) => verdict.after(hint),
        None => verdict,
    }
}

fn counted(verdict: Verdict, headers: &HeaderMap) -> Verdict {
    if verdict.class() != Class::Throttled {
        return verdict;
    }
    match rate_limit::window(headers) {
        Some(Window::Day) => Verdict::QUOTA_EXHAUSTED.per(Window::Day),
        // What the body says of it is nearer.
        Some(window) if verdict.window().is_none() => verdict.per(window),
        _ => verdict,
    }
}

fn asked(verdict: Verdict, known: bool, headers: &HeaderMap) -> Verdict {
    let open = !known || matches!(verdict.class(), Class::Transient | Class::Throttled);
    match headers.get(SHOULD_RETRY).map(|value| value.as_bytes().trim_ascii()) {
        Some(b"false") => verdict.once(),
        Some(b"true") if open => verdict.again(),
        _ => verdict,
    }
}

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
