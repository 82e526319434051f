use std::{error::Error, fmt};

use bytes::Bytes;
use http::Response;
use serde::Serialize;
use tower::{BoxError, Service, ServiceExt};
use trysail::{
    Chunks, EmbedError, EmbedRequest, EmbedResponse, Embeddings, Failure, HttpRequest, Rerank, RerankRequest, Sparse,
    SparseResponse,
    embeddings::{Chunk, Ranking},
};

use crate::{DataSet, Limits, stacks::Stacks};

/// All calls to model servers, over any client. One for the whole service, since it knows how each server is.
pub struct Search<C> {
    client: C,
    limits: Limits,
    dense: Stacks<Embeddings<C>>,
    sparse: Stacks<Sparse<C>>,
    rerank: Stacks<Rerank<C>>,
}

/// What a text is found by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Vectors {
    /// Its meaning.
    pub dense: Vec<f32>,
    /// Its words, and their weights.
    pub sparse: Vec<(u32, f32)>,
}

impl<C: Clone> Search<C> {
    /// Calls servers through `client`, within `limits`.
    pub fn new(client: C, limits: &Limits) -> Self {
        let limits = limits.clone();
        let (dense, sparse, rerank) = (Stacks::new(&limits), Stacks::new(&limits), Stacks::new(&limits));
        Self { client, limits, dense, sparse, rerank }
    }

    /// Tells the recorder of metrics how circuits and budgets are.
    pub fn publish(&self) {
        self.dense.publish();
        self.sparse.publish();
        self.rerank.publish();
    }
}

impl<C, E> Search<C>
where
    C: Service<HttpRequest, Response = Response<Bytes>, Error = Failure<Response<Bytes>, E>> + Clone,
    E: Error + Send + Sync + 'static,
{
    /// The dense vector of a query.
    ///
    /// # Errors
    ///
    /// What is wrong with the set, or why there is none.
    pub async fn dense(&self, set: &DataSet, text: &str) -> Result<Vec<f32>, BoxError> {
        let slot = self.dense.get(&set.dense, |endpoint| Ok(Embeddings::new(self.client.clone(), endpoint)))?;
        let request = EmbedRequest::new(&*set.dense.model, [text]);
        let answer = slot.kept().query.clone().oneshot(request).await?;
        Ok(answer.vectors().flatten().copied().collect())
    }

    /// The sparse vector of a query.
    ///
    /// # Errors
    ///
    /// As for [`dense`](Self::dense).
    pub async fn sparse(&self, set: &DataSet, text: &str) -> Result<Vec<(u32, f32)>, BoxError> {
        let slot = self.sparse.get(&set.sparse, |endpoint| Sparse::new(self.client.clone(), endpoint))?;
        let request = EmbedRequest::new(&*set.sparse.model, [text]);
        Ok(slot.kept().query.clone().oneshot(request).await?.into_vectors().concat())
    }

    /// What was found, the best first.
    ///
    /// # Errors
    ///
    /// What is wrong with the set.
    pub async fn rank(
        &self,
        set: &DataSet,
        query: &str,
        texts: Vec<String>,
        top_n: Option<usize>,
    ) -> Result<Ranking<EmbedError>, BoxError> {
        let slot = self.rerank.get(&set.rerank, |endpoint| Rerank::new(self.client.clone(), endpoint))?;
        // All parts have the time of one query together.
        let request = RerankRequest::new(&*set.rerank.model, query, texts).deadline(self.limits.query_deadline());
        let request = top_n.into_iter().fold(request, RerankRequest::top_n);
        Ok(Chunks::of(request).rank(slot.kept().query.clone()).await)
    }

    /// What each of `texts` is found by, or why it cannot be found.
    ///
    /// # Errors
    ///
    /// What is wrong with the set.
    pub async fn ingest(&self, set: &DataSet, texts: &[String]) -> Result<Vec<Result<Vectors, String>>, BoxError> {
        let dense = self.dense.get(&set.dense, |endpoint| Ok(Embeddings::new(self.client.clone(), endpoint)))?;
        let sparse = self.sparse.get(&set.sparse, |endpoint| Sparse::new(self.client.clone(), endpoint))?;
        let chunks = |model: &str| Chunks::of(EmbedRequest::new(model, texts));
        let (dense, sparse) = tokio::join!(
            chunks(&set.dense.model).embed(dense.kept().ingest.clone()),
            chunks(&set.sparse.model).embed(sparse.kept().ingest.clone()),
        );
        let dense = each(dense, |answer: EmbedResponse| answer.vectors().map(<[f32]>::to_vec).collect());
        let sparse = each(sparse, SparseResponse::into_vectors);
        Ok(dense.zip(sparse).map(|(dense, sparse)| Ok(Vectors { dense: dense?, sparse: sparse? })).collect())
    }
}

impl<C> fmt::Debug for Search<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dense, sparse, rerank, .. } = self;
        f.debug_struct("Search").field("dense", dense).field("sparse", sparse).field("rerank", rerank).finish()
    }
}

/// What came of each text, out of what came of parts of them.
fn each<A, V>(
    parts: Vec<Chunk<A, EmbedError>>,
    split: impl Fn(A) -> Vec<V>,
) -> impl Iterator<Item = Result<V, String>> {
    parts.into_iter().flat_map(move |part| match part {
        Ok((_, answer)) => split(answer).into_iter().map(Ok).collect::<Vec<_>>(),
        Err(error) => error.inputs().map(|_| Err(error.to_string())).collect(),
    })
}
