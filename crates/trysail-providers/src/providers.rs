use std::error::Error;

use bytes::Bytes;
use http::Response;
use trysail_core::{Classified, Classifier, Verdict};
use trysail_http::{CollectError, CollectedBody};

use crate::{Judgement, Provider, Rules, judgement, read::Read};

/// The judge of what embedding servers answer, for a [`ClassifyLayer`] over a [`CollectLayer`](trysail_http::CollectLayer).
///
/// A local error is judged by its types, never by its words; an answer by the machine code in its body, then by a
/// phrase of the server's own, then by its status. A 2xx is checked against what was [`Expected`](trysail_http::Expected), if the request
/// says so, and is a success otherwise unless it begins with an error object. `x-should-retry` then speaks for the
/// retry alone, and never revives what cannot work.
///
/// Over a [`CollectLayer::errors`](trysail_http::CollectLayer::errors) it judges streams: a 2xx is a success once its head
/// is in, and nothing that happens to its body later is repeated or counted.
///
/// [`ClassifyLayer`]: https://docs.rs/trysail-classify
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use trysail_core::Class;
/// use trysail_providers::Providers;
///
/// let answer = http::Response::builder()
///     .status(429)
///     .body(Bytes::from_static(br#"{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}"#))?;
///
/// let judgement = Providers.judge(&answer);
/// assert_eq!(judgement.verdict().class(), Class::QuotaExhausted);
/// assert_eq!(judgement.rule(), "openai/insufficient_quota");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Providers;

impl Providers {
    /// Knows only `provider`, the gateways that may stand before it, and what is common to all.
    pub const fn only(provider: Provider) -> Provider {
        provider
    }

    /// Judges an answer, and says which rule decided.
    pub fn judge(&self, response: &Response<Bytes>) -> Judgement {
        Judgement::of(Read::of(response, response.body()), None)
    }

    /// With a rule of one's own that has the last word; see [`Rules`].
    pub fn rule<F>(self, rule: F) -> Rules<Self, F>
    where
        F: Fn(&Response<Bytes>, Verdict) -> Verdict,
    {
        Rules::new(self, rule)
    }
}

impl Provider {
    /// Judges an answer, and says which rule decided.
    pub fn judge(&self, response: &Response<Bytes>) -> Judgement {
        Judgement::of(Read::of(response, response.body()), Some(*self))
    }

    /// With a rule of one's own that has the last word; see [`Rules`].
    pub fn rule<F>(self, rule: F) -> Rules<Self, F>
    where
        F: Fn(&Response<Bytes>, Verdict) -> Verdict,
    {
        Rules::new(self, rule)
    }
}

impl<R, C, B> Classifier<Response<R>, CollectError<C, B>> for Providers
where
    R: CollectedBody,
    C: Error + 'static,
    B: Error + 'static,
{
    fn classify(&self, outcome: Result<&Response<R>, &CollectError<C, B>>) -> Verdict {
        outcome.map_or_else(Classified::verdict, |response| judgement::of_response(response, None))
    }

    fn status(&self, response: &Response<R>) -> Option<u16> {
        Some(response.status().as_u16())
    }
}

impl<R, C, B> Classifier<Response<R>, CollectError<C, B>> for Provider
where
    R: CollectedBody,
    C: Error + 'static,
    B: Error + 'static,
{
    fn classify(&self, outcome: Result<&Response<R>, &CollectError<C, B>>) -> Verdict {
        outcome.map_or_else(Classified::verdict, |response| judgement::of_response(response, Some(*self)))
    }

    fn status(&self, response: &Response<R>) -> Option<u16> {
        Some(response.status().as_u16())
    }
}
