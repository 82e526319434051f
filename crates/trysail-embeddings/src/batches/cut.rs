use std::{
    fmt,
    future::Future,
    mem,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{
    Stream, StreamExt,
    stream::{self, Iter},
};
use tokio::time::{Sleep, sleep};
use tower_service::Service;
use trysail_core::Classified;

use crate::{
    Answers, BatchError, EmbedError, EmbedRequest, EmbedResponse,
    capacity::{Capacity, Room},
};

/// Texts to be embedded by a model, however many: cut into batches, sent a few at a time, and answered in order.
///
/// The texts are taken as they are needed. Each batch is a call of its own, with the policies around the service; the
/// service is cloned for it.
///
/// A batch is a convenience, and no input's fate. One that is refused, or that keeps failing in the same way while
/// others are answered, is halved until the culprit stands alone: at most 2 log2 n requests more for one that is refused
/// among n. Only what every request would meet ends the run: a key, a quota, an unknown model, or a refusal in the same
/// words of a batch, of both its halves, and of an input of each, before anything was answered; or a server that asks to
/// be left alone for longer than the [deadline](EmbedRequest::deadline) of a batch, to which all its parts keep.
///
/// A limit that the server names is kept to from then on, by all clones of the service; one that it does not name is
/// closed in on. After a batch that was not answered in time come smaller ones, until those are.
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
pub struct Batches<T, F = fn(EmbedRequest) -> EmbedRequest> {
    model: String,
    texts: T,
    /// Nothing is left of the texts.
    drained: bool,
    /// The text that the last batch had no room for.
    held: Option<String>,
    begun: Vec<String>,
    /// What is left of the bytes for what is begun.
    left: usize,
    lingering: Option<Pin<Box<Sleep>>>,
    linger: Duration,
    cut: usize,
    allowed: Room,
    tokens: Option<usize>,
    concurrency: usize,
    each: F,
}

impl<I> Batches<Iter<I>>
where
    I: Iterator<Item: Into<String>>,
{
    /// Asks `model` for a vector of each of `texts`.
    pub fn of(model: impl Into<String>, texts: impl IntoIterator<IntoIter = I>) -> Self {
        Self::of_stream(model, stream::iter(texts))
    }
}

impl<T> Batches<T>
where
    T: Stream<Item: Into<String>> + Unpin,
{
    /// Asks `model` for a vector of each of `texts`, which come when they like; see [`linger`](Self::linger).
    pub fn of_stream(model: impl Into<String>, texts: T) -> Self {
        Self {
            model: model.into(),
            texts,
            drained: false,
            held: None,
            begun: Vec::new(),
            left: 0,
            lingering: None,
            linger: Duration::from_millis(200),
            cut: 0,
            allowed: Room { inputs: 32, bytes: 512 << 10 },
            tokens: None,
            concurrency: 4,
            each: |request| request,
        }
    }
}

impl<T, F> Batches<T, F> {
    /// How many texts a batch holds at most; 32 unless set, which every server is known to take.
    pub fn count(self, texts: usize) -> Self {
        Self { allowed: Room { inputs: texts.max(1), ..self.allowed }, ..self }
    }

    /// How many bytes of text a batch holds at most; 512 KiB unless set. A longer text goes alone.
    pub fn bytes(self, bytes: usize) -> Self {
        Self { allowed: Room { bytes, ..self.allowed }, ..self }
    }

    /// How many tokens a batch holds at most; no limit unless set. They are estimated: a token is four bytes of text,
    /// until answers say how many they have counted.
    pub fn tokens(self, tokens: usize) -> Self {
        Self { tokens: Some(tokens), ..self }
    }

    /// How many batches are in flight at most; 4 unless set.
    pub fn concurrency(self, calls: usize) -> Self {
        Self { concurrency: calls.max(1), ..self }
    }

    /// How long a batch that is not full waits for the next text of a stream; 200 ms unless set.
    pub fn linger(self, linger: Duration) -> Self {
        Self { linger, ..self }
    }

    /// What else a request says: `|request| request.dimensions(256)`. Asked for each batch when its turn has come, so
    /// that a deadline counts from there.
    pub fn each<G>(self, each: G) -> Batches<T, G>
    where
        G: FnMut(EmbedRequest) -> EmbedRequest,
    {
        let Self {
            model, texts, drained, held, begun, left, lingering, linger, cut, allowed, tokens, concurrency, ..
        } = self;
        let each = each;
        Batches { model, texts, drained, held, begun, left, lingering, linger, cut, allowed, tokens, concurrency, each }
    }

    /// Whether nothing is left to be cut.
    pub(super) const fn is_empty(&self) -> bool {
        self.drained && self.held.is_none() && self.begun.is_empty()
    }

    pub(super) const fn most_in_flight(&self) -> usize {
        self.concurrency
    }
}

impl<T, F> Batches<T, F>
where
    T: Stream<Item: Into<String>> + Unpin,
    F: FnMut(EmbedRequest) -> EmbedRequest,
{
    /// All vectors, in the order of the texts.
    ///
    /// # Errors
    ///
    /// The first input that has no vector ends it; what is in flight is dropped. [`send`](Self::send) goes on without
    /// that input.
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

    /// The vectors batch by batch, and what became of the inputs that have none.
    pub fn send<S>(self, service: S) -> Answers<S, T, F>
    where
        S: Service<EmbedRequest, Error: Classified>,
    {
        Answers::new(self, service)
    }

    /// The next batch, and which of the texts it holds; `None` after the last.
    pub(super) fn poll_cut(
        &mut self,
        capacity: Option<&Capacity>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(Range<usize>, EmbedRequest)>> {
        if self.is_empty() {
            return Poll::Ready(None);
        }
        let room = capacity.map_or_else(|| self.allowed_alone(), |capacity| capacity.next(self.allowed, self.tokens));
        if self.begun.is_empty() {
            self.left = room.bytes;
        }
        while self.begun.len() < room.inputs {
            let text = match self.held.take() {
                Some(text) => text,
                None if self.drained => break,
                None => match self.texts.poll_next_unpin(cx) {
                    Poll::Ready(Some(text)) => text.into(),
                    Poll::Ready(None) => {
                        self.drained = true;
                        break;
                    }
                    Poll::Pending if self.begun.is_empty() => return Poll::Pending,
                    Poll::Pending => {
                        let linger = self.linger;
                        ready!(self.lingering.get_or_insert_with(|| Box::pin(sleep(linger))).as_mut().poll(cx));
                        break;
                    }
                },
            };
            let left = self.left.checked_sub(text.len());
            if left.is_none() && !self.begun.is_empty() {
                self.held = Some(text);
                break;
            }
            self.left = left.unwrap_or(0);
            self.begun.push(text);
        }
        self.lingering = None;
        let texts = mem::take(&mut self.begun);
        let first = self.cut;
        self.cut += texts.len();
        let mut request = |texts| (self.each)(EmbedRequest::new(self.model.as_str(), texts)).divisible();
        Poll::Ready((!texts.is_empty()).then(|| (first..first + texts.len(), request(texts))))
    }

    /// What is allowed before anything is known of the server.
    fn allowed_alone(&self) -> Room {
        Capacity::default().next(self.allowed, self.tokens)
    }
}

impl<T: Clone, F: Clone> Clone for Batches<T, F> {
    fn clone(&self) -> Self {
        Self {
            model: self.model.clone(),
            texts: self.texts.clone(),
            held: self.held.clone(),
            begun: self.begun.clone(),
            lingering: None,
            each: self.each.clone(),
            ..*self
        }
    }
}

impl<T, F> fmt::Debug for Batches<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("model", &self.model)
            .field("count", &self.allowed.inputs)
            .field("bytes", &self.allowed.bytes)
            .field("tokens", &self.tokens)
            .field("concurrency", &self.concurrency)
            .field("cut", &self.cut)
            .finish_non_exhaustive()
    }
}
