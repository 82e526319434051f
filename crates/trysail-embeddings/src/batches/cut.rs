use std::{fmt, iter::Fuse, ops::Range};

use tower_service::Service;
use trysail_core::Classified;

use crate::{Answers, BatchError, EmbedError, EmbedRequest, EmbedResponse};

/// Texts to be embedded by a model, however many: cut into batches, sent a few at a time, and answered in order.
///
/// The texts are taken as they are needed. Each batch is a call of its own, with the policies around the service; the
/// service is cloned for it. One that is refused as too much at once is halved, until what is too much stands alone.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use trysail_core::Failure;
/// use trysail_embeddings::{Batches, Embeddings, Endpoint};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let client = tower::service_fn(|_: Request<Full<Bytes>>| async {
/// #     let body = Bytes::from_static(br#"{"data":[{"embedding":[0.5]},{"embedding":[1.5]}]}"#);
/// #     Ok::<_, Failure<Response<Bytes>, std::io::Error>>(Response::new(body))
/// # });
/// let embeddings = Embeddings::new(client, Endpoint::openai("http://localhost:8080/v1")?);
/// let lines = ["fair wind", "storm", "calm", "fog"];
/// let answer = Batches::of("potion-base-2M", lines).count(2).concurrency(4).embed(embeddings).await?;
/// assert_eq!(answer.len(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Batches<I, F = fn(EmbedRequest) -> EmbedRequest> {
    model: String,
    texts: Fuse<I>,
    /// The text that the last batch had no room for.
    held: Option<String>,
    cut: usize,
    count: usize,
    bytes: usize,
    concurrency: usize,
    each: F,
}

impl<I> Batches<I>
where
    I: Iterator<Item: Into<String>>,
{
    /// Asks `model` for a vector of each of `texts`.
    pub fn of(model: impl Into<String>, texts: impl IntoIterator<IntoIter = I>) -> Self {
        Self {
            model: model.into(),
            texts: texts.into_iter().fuse(),
            held: None,
            cut: 0,
            count: 64,
            bytes: 512 << 10,
            concurrency: 4,
            each: |request| request,
        }
    }
}

impl<I, F> Batches<I, F> {
    /// How many texts a batch holds at most; 64 unless set.
    pub fn count(self, texts: usize) -> Self {
        Self { count: texts.max(1), ..self }
    }

    /// How many bytes of text a batch holds at most; 512 KiB unless set. A longer text goes alone.
    pub fn bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// How many batches are in flight at most; 4 unless set.
    pub fn concurrency(self, calls: usize) -> Self {
        Self { concurrency: calls.max(1), ..self }
    }

    /// What else a request says: `|request| request.dimensions(256)`. Asked for each batch when its turn has come, so
    /// that a deadline counts from there.
    pub fn each<G>(self, each: G) -> Batches<I, G>
    where
        G: FnMut(EmbedRequest) -> EmbedRequest,
    {
        let Self { model, texts, held, cut, count, bytes, concurrency, .. } = self;
        Batches { model, texts, held, cut, count, bytes, concurrency, each }
    }

    pub(crate) const fn most_in_flight(&self) -> usize {
        self.concurrency
    }
}

impl<I, F> Batches<I, F>
where
    I: Iterator<Item: Into<String>>,
    F: FnMut(EmbedRequest) -> EmbedRequest,
{
    /// All vectors, in the order of the texts.
    ///
    /// # Errors
    ///
    /// The first batch that fails ends it; what is in flight is dropped. An input that is too long fails alone, so that
    /// [`BatchError::inputs`] names it.
    pub async fn embed<S>(self, service: S) -> Result<EmbedResponse, BatchError<S::Error>>
    where
        S: Service<EmbedRequest, Response = EmbedResponse, Error: Classified + From<EmbedError>> + Clone,
    {
        let mut answers = self.send(service);
        let mut all = EmbedResponse::none();
        while let Some(answer) = answers.next().await {
            all.append(answer?);
        }
        Ok(all)
    }

    /// The vectors batch by batch, for more of them than memory holds.
    pub fn send<S>(self, service: S) -> Answers<S, I, F>
    where
        S: Service<EmbedRequest>,
    {
        Answers::new(self, service)
    }

    /// The next batch, and which of the texts it holds.
    pub(crate) fn cut(&mut self) -> Option<(Range<usize>, EmbedRequest)> {
        let mut texts = Vec::new();
        let mut room = self.bytes;
        while texts.len() < self.count {
            let Some(text) = self.held.take().or_else(|| self.texts.next().map(Into::into)) else { break };
            let left = room.checked_sub(text.len());
            if left.is_none() && !texts.is_empty() {
                self.held = Some(text);
                break;
            }
            room = left.unwrap_or(0);
            texts.push(text);
        }
        let first = self.cut;
        self.cut += texts.len();
        (!texts.is_empty()).then(|| (first..self.cut, (self.each)(EmbedRequest::new(self.model.as_str(), texts))))
    }
}

impl<I, F> fmt::Debug for Batches<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("model", &self.model)
            .field("count", &self.count)
            .field("bytes", &self.bytes)
            .field("concurrency", &self.concurrency)
            .field("cut", &self.cut)
            .finish_non_exhaustive()
    }
}
