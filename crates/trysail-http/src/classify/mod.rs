//! Judges what embedding servers, and the gateways in front of them, answer.

mod body;
mod codes;
mod dialect;
mod excerpt;
mod local;
mod status;
#[cfg(feature = "client")]
mod transport;

use std::error::Error;

use bytes::Bytes;
use http::{HeaderName, Response};
use trysail_core::{Class, Classified, Classifier, Verdict};

pub use self::{body::Complaint, excerpt::excerpt};
use crate::{CollectError, retry_after};

/// The judge of what embedding servers answer, for a [`ClassifyLayer`] over a [`CollectLayer`](crate::CollectLayer).
///
/// A local error is judged by its types, never by its words; an answer by the machine code in its body, then by its
/// status. A 2xx is a success unless it begins with an error object. `x-should-retry` then speaks for the retry
/// alone, and never revives what cannot work.
///
/// [`ClassifyLayer`]: https://docs.rs/trysail-classify
#[derive(Clone, Copy, Debug, Default)]
pub struct Providers;

impl<C, B> Classifier<Response<Bytes>, CollectError<C, B>> for Providers
where
    C: Error + 'static,
    B: Error + 'static,
{
    fn classify(&self, outcome: Result<&Response<Bytes>, &CollectError<C, B>>) -> Verdict {
        match outcome {
            Ok(response) => answer(response),
            Err(CollectError::Client(error)) => local::request(error),
            Err(CollectError::Body(error)) => local::body(error),
            Err(CollectError::TooLarge { .. }) => Verdict::REFUSED,
            Err(CollectError::Idle(elapsed)) => elapsed.verdict(),
        }
    }
}

fn answer(response: &Response<Bytes>) -> Verdict {
    let success = response.status().is_success();
    if success && !body::may_hold_error(response.body()) {
        return Verdict::SUCCESS;
    }
    let complaint = Complaint::of(response);
    if success && complaint.is_none() {
        return Verdict::SUCCESS;
    }
    let by_code = complaint.as_ref().and_then(codes::verdict);
    let known = by_code.or_else(|| {
        let inside = complaint.as_ref().filter(|_| success).and_then(Complaint::status);
        if success { inside.and_then(status::verdict) } else { status::verdict(response.status()) }
    });
    let verdict =
        known.unwrap_or_else(|| if success { Verdict::MALFORMED } else { status::unknown(response.status()) });
    hinted(asked(verdict, known.is_some(), response), response)
}

/// With the server's own word on whether to ask again.
fn asked(verdict: Verdict, known: bool, response: &Response<Bytes>) -> Verdict {
    let open = !known || matches!(verdict.class(), Class::Transient | Class::Throttled);
    match response.headers().get(SHOULD_RETRY).map(|value| value.as_bytes().trim_ascii()) {
        Some(b"false") => verdict.once(),
        Some(b"true") if open => verdict.again(),
        _ => verdict,
    }
}

fn hinted(verdict: Verdict, response: &Response<Bytes>) -> Verdict {
    match retry_after::hint(response.headers(), body::text(response.body())) {
        Some(hint) => verdict.after(hint),
        None => verdict,
    }
}

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
