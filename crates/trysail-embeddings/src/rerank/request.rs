use std::{fmt, hash::BuildHasher, ops::Range, sync::Arc, time::Duration};

use serde::Serialize;
use trysail_core::{Limit, Replay};
use trysail_http::{Deadline, Idempotent, OrDeadline};

use crate::{EmbedRequest, InvalidPart, asked::Said};

/// Texts to be scored by a model: how well each of them answers a query.
///
/// A clone shares them and the encoded body. `Debug` shows neither the texts nor the query.
#[derive(Clone)]
pub struct RerankRequest {
    /// With the query among its fields.
    texts: EmbedRequest,
    query: Arc<str>,
    top_n: Option<usize>,
    /// Whether the server was told how many are enough.
    is_told: bool,
}

impl RerankRequest {
    /// Asks `model` how well each of `texts` answers `query`. A server with one model is not told its name.
    pub fn new<T: Into<String>>(
        model: impl Into<String>,
        query: impl Into<Arc<str>>,
        texts: impl IntoIterator<Item = T>,
    ) -> Self {
        let query = query.into();
        let texts = EmbedRequest::new(model, texts).field("query", &*query).expect("any text is JSON");
        Self { texts, query, top_n: None, is_told: false }
    }

    /// Asks for the best `texts` alone.
    ///
    /// A server that has a word for it answers with so many; an answer with less, or with others, is malformed.
    pub fn top_n(self, texts: usize) -> Self {
        Self { top_n: Some(texts), ..self }
    }

    /// When the answer stops being of use; retries and timeouts around keep to it.
    pub fn deadline(self, deadline: Deadline) -> Self {
        Self { texts: self.texts.deadline(deadline), ..self }
    }

    /// As [`EmbedRequest::header`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn header(self, name: &str, value: &str) -> Result<Self, InvalidPart> {
        Ok(Self { texts: self.texts.header(name, value)?, ..self })
    }

    /// As [`EmbedRequest::field`], such as `truncate` or `max_tokens_per_doc`.
    ///
    /// # Errors
    ///
    /// As there. Query, texts, and how many of them are wanted have words of their own, and are no fields.
    pub fn field(self, name: &str, value: impl Serialize) -> Result<Self, InvalidPart> {
        guard(name)?;
        Ok(Self { texts: self.texts.field(name, value)?, ..self })
    }

    /// As [`EmbedRequest::query`]: a parameter of its own in the URL.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn parameter(self, name: &str, value: &str) -> Result<Self, InvalidPart> {
        Ok(Self { texts: self.texts.query(name, value)?, ..self })
    }

    /// As [`EmbedRequest::keyed`].
    pub fn keyed(self) -> Self {
        Self { texts: self.texts.keyed(), ..self }
    }

    /// The model that is asked.
    pub fn model(&self) -> &str {
        self.texts.model()
    }

    /// How many texts it asks about.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether it asks about none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// How many tokens it is likely to be counted for: the query goes with each text.
    pub fn likely_tokens(&self) -> u64 {
        let queries = (self.query.len() as u64).div_ceil(4).saturating_mul(self.len() as u64);
        self.texts.likely_tokens().saturating_add(queries)
    }

    /// What tells a credential of its own from that of another, as [`EmbedRequest::credential`] does.
    pub fn credential(&self, key: &impl BuildHasher) -> Option<u64> {
        self.texts.credential(key)
    }

    /// What is sent where `top_n` is the word for how many are enough, if there is one.
    pub(super) fn told(self, top_n: Option<&str>) -> (EmbedRequest, Self) {
        match top_n.zip(self.top_n) {
            Some((name, most)) => {
                let most = most.clamp(1, self.len().max(1));
                let sent = self.texts.clone().field(name, most).expect("any number is JSON");
                (sent, Self { is_told: true, ..self })
            }
            None => (self.texts.clone(), self),
        }
    }

    /// How many scores an answer has at least.
    pub(super) fn fewest(&self) -> usize {
        self.most().filter(|_| self.is_told).unwrap_or_else(|| self.len()).clamp(1, self.len().max(1))
    }

    /// How many are wanted.
    pub(crate) const fn most(&self) -> Option<usize> {
        self.top_n
    }

    /// All of the texts in `range`, as one of the parts into which it was cut.
    pub(crate) fn part(&self, range: Range<usize>, part: u32) -> Self {
        Self { texts: self.texts.part(range, part), top_n: None, ..self.clone() }
    }
}

/// An error if `name` is that of a field without which an answer would be read wrongly.
pub(super) fn guard(name: &str) -> Result<(), InvalidPart> {
    match GUARDED.contains(&name) {
        true => Err(InvalidPart { problem: format!("the field `{name}` is not one's own: say it of a RerankRequest") }),
        false => Ok(()),
    }
}

impl Said for RerankRequest {
    fn count(&self) -> usize {
        self.len()
    }

    fn holds_headers(&self) -> bool {
        self.texts.holds_headers()
    }

    fn redact(&self, text: &str) -> String {
        EmbedRequest::new("", [&*self.query]).redact(&self.texts.redact(text))
    }
}

impl Replay<RerankRequest> for Idempotent {
    fn replay(&self, request: &RerankRequest) -> Option<RerankRequest> {
        Some(RerankRequest { texts: self.replay(&request.texts)?, ..request.clone() })
    }

    fn mark(&self, request: &mut RerankRequest, attempt: u32) {
        self.mark(&mut request.texts, attempt);
    }

    fn left(&self, request: &RerankRequest) -> Option<Duration> {
        self.left(&request.texts)
    }
}

impl Replay<RerankRequest> for trysail_providers::Idempotent {
    fn replay(&self, request: &RerankRequest) -> Option<RerankRequest> {
        Idempotent.replay(request)
    }

    fn mark(&self, request: &mut RerankRequest, attempt: u32) {
        Idempotent.mark(request, attempt);
    }

    fn left(&self, request: &RerankRequest) -> Option<Duration> {
        Idempotent.left(request)
    }
}

impl<L> Limit<RerankRequest> for OrDeadline<L>
where
    L: Limit<RerankRequest>,
{
    fn limit(&self, request: &RerankRequest) -> Option<Duration> {
        self.0.limit(request)
    }

    fn left(&self, request: &RerankRequest) -> Option<Duration> {
        self.0.left(request).into_iter().chain(Idempotent.left(request)).min()
    }
}

impl fmt::Debug for RerankRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RerankRequest").field("texts", &self.texts).field("top_n", &self.top_n).finish_non_exhaustive()
    }
}

const GUARDED: &[&str] = &["query", "documents", "top_n", "top_k"];
