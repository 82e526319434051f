//! A request with many texts, in parts of a size that servers take.

use std::{collections::VecDeque, future::poll_fn, ops::Range};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tower_service::Service;
use trysail_core::{Class, Classified, Remedy, Retryable, Verdict};

use crate::{BatchError, EmbedRequest, RerankRequest, RerankResponse, batches::ENOUGH};

/// One request with many texts, cut into parts that are sent a few at a time.
///
/// Each part is a call of its own, with the policies around the service; the service is cloned for it. One that is refused
/// is halved until the culprit stands alone, unless nothing is ever answered. A part that fails otherwise names a reason for
/// its texts, and is not the end of the others.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use trysail_core::Failure;
/// use trysail_embeddings::{Chunks, Endpoint, Rerank, RerankRequest};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let client = tower::service_fn(|_: Request<Full<Bytes>>| async {
/// #     let body = r#"[{"index":1,"score":0.9},{"index":0,"score":0.1}]"#;
/// #     Ok::<_, Failure<Response<Bytes>, std::io::Error>>(Response::new(body.into()))
/// # });
/// let rerank = Rerank::new(client, Endpoint::tei("http://localhost:8080")?)?;
/// let texts = ["a spinnaker", "a trysail", "a genoa", "a storm jib"];
/// let request = RerankRequest::new("bge-reranker-base", "which sail in a storm?", texts).top_n(2);
///
/// let ranking = Chunks::of(request).count(2).rank(rerank).await;
/// assert_eq!(ranking.answer.ranks().iter().map(|rank| rank.index()).collect::<Vec<_>>(), [1, 3]);
/// assert!(ranking.missing.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Chunks<R> {
    request: R,
    count: Option<usize>,
    concurrency: usize,
}

/// What came of the parts of a [`RerankRequest`], joined.
#[derive(Clone, Debug)]
pub struct Ranking<E> {
    /// The texts that have a score, counted as in the request that was cut; the best alone, if it says so.
    pub answer: RerankResponse,
    /// Which texts have none, and why.
    pub missing: Vec<BatchError<E>>,
}

/// What came of one part: which of the texts it holds, counted in the request that was cut, and the answer to it.
pub type Chunk<A, E> = Result<(Range<usize>, A), BatchError<E>>;

impl<R> Chunks<R> {
    /// All texts of `request`.
    pub const fn of(request: R) -> Self {
        Self { request, count: None, concurrency: 4 }
    }

    /// How many texts a part holds at most; 30 to be embedded and 20 to be ranked, unless set.
    pub fn count(self, texts: usize) -> Self {
        Self { count: Some(texts.max(1)), ..self }
    }

    /// How many parts are in flight at most; 4 unless set.
    pub fn concurrency(self, calls: usize) -> Self {
        Self { concurrency: calls.max(1), ..self }
    }

    /// What came of each part, in order.
    async fn send<S>(self, service: S, count: usize) -> Vec<Chunk<S::Response, S::Error>>
    where
        S: Service<R, Error: Classified> + Clone,
        R: Cut,
    {
        let count = self.count.unwrap_or(count);
        let starts = (0..self.request.len()).step_by(count).zip(1..);
        let range = |start: usize| start..start.saturating_add(count).min(self.request.len());
        let mut due: VecDeque<_> = starts.map(|(start, part)| (start, self.request.part(range(start), part))).collect();
        let call = |(start, part): (usize, R)| {
            let service = service.clone();
            async move { (start, part.len(), oneshot(service, part.clone()).await, part) }
        };
        let (mut calls, mut over) = (FuturesUnordered::new(), Vec::new());
        // Until something is answered, few refusals are followed: they may be about what all parts have in common.
        let mut left = ENOUGH + self.concurrency;
        loop {
            while calls.len() < self.concurrency
                && let Some(next) = due.pop_front()
            {
                calls.push(call(next));
            }
            let Some((start, len, outcome, part)) = calls.next().await else { break };
            left = if outcome.is_ok() { usize::MAX } else { left.saturating_sub(1) };
            let middle = len / 2;
            match &outcome {
                Err(error) if middle > 0 && divides(error.verdict(), left > 0) => {
                    due.push_front((start + middle, part.part(middle..len, 2)));
                    due.push_front((start, part.part(0..middle, 1)));
                }
                _ => over.push((start..start + len, outcome)),
            }
        }
        over.sort_unstable_by_key(|(inputs, _)| inputs.start);
        let part = |(inputs, outcome): (Range<usize>, Result<_, _>)| match outcome {
            Ok(answer) => Ok((inputs, answer)),
            Err(error) => Err(BatchError::failed(inputs, error, false)),
        };
        over.into_iter().map(part).collect()
    }
}

impl Chunks<EmbedRequest> {
    /// Dense or sparse vectors, as `service` has them, in the order of the texts.
    pub async fn embed<S>(self, service: S) -> Vec<Chunk<S::Response, S::Error>>
    where
        S: Service<EmbedRequest, Error: Classified> + Clone,
    {
        self.send(service, 30).await
    }
}

impl Chunks<RerankRequest> {
    /// The ranks of all texts, joined before the best of them are taken.
    ///
    /// A model scores a text by itself, so that scores of different parts compare.
    pub async fn rank<S>(self, service: S) -> Ranking<S::Error>
    where
        S: Service<RerankRequest, Response = RerankResponse, Error: Classified> + Clone,
    {
        let most = self.request.most();
        let mut ranking = Ranking { answer: RerankResponse::default(), missing: Vec::new() };
        for part in self.send(service, 20).await {
            match part {
                Ok((texts, answer)) => ranking.answer.append(answer, texts.start),
                Err(error) => ranking.missing.push(error.of_scores()),
            }
        }
        Ranking { answer: ranking.answer.sorted(most), ..ranking }
    }
}

trait Cut: Clone {
    fn len(&self) -> usize;
    fn part(&self, range: Range<usize>, part: u32) -> Self;
}

impl Cut for EmbedRequest {
    fn len(&self) -> usize {
        self.len()
    }

    fn part(&self, range: Range<usize>, part: u32) -> Self {
        self.part(range, part)
    }
}

impl Cut for RerankRequest {
    fn len(&self) -> usize {
        self.len()
    }

    fn part(&self, range: Range<usize>, part: u32) -> Self {
        self.part(range, part)
    }
}

/// Whether a part that failed may have one text that is to blame; `guesses` if nothing need say so.
fn divides(verdict: Verdict, guesses: bool) -> bool {
    let less = matches!(verdict.remedy(), Some(Remedy::Split | Remedy::Truncate));
    let refused = matches!(verdict.class(), Class::Permanent | Class::Malformed);
    verdict.retry() == Retryable::No && refused && (less || guesses)
}

async fn oneshot<S: Service<R>, R>(mut service: S, request: R) -> Result<S::Response, S::Error> {
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}
