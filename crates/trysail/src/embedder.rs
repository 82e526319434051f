use std::{
    env,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tower_layer::Layer;
use tower_service::Service;

#[cfg(feature = "redis")]
use crate::RedisStore;
use crate::{
    Batches, EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint, HttpClient, Limit, Pace, Preset, Stack,
    client,
    embeddings::{BatchError, InvalidEndpoint, Usage},
    sharing::Sharing,
};

/// The whole type of typed calls under a [`Preset`]: all that an [`Embedder`] calls.
pub type EmbedStack<C = HttpClient, L = Duration> = Stack<Embeddings<C>, L>;

/// Vectors from an OpenAI-compatible server at `base`, with every default.
///
/// The model is `text-embedding-3-small`, the policies are [`Preset::interactive`], and the key is what the variable
/// `OPENAI_API_KEY` holds: if it is set, and only over `https`. Each can be overridden: [`model`](Embedder::model),
/// [`preset`](Embedder::preset), [`key`](Embedder::key), [`client`](Embedder::client); [`Embedder::new`] takes an
/// [`Endpoint`] of another kind.
///
/// ```no_run
/// # async fn first() -> Result<(), Box<dyn std::error::Error>> {
/// let embed = trysail::embeddings("https://api.openai.com/v1")?;
/// let answer = embed.embed(["a fair wind", "a storm at sea"]).await?;
/// println!("{:?}", answer.vectors().next());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `base` must be an absolute `http` or `https` URL, and the variable must not hold what no header can.
pub fn embeddings(base: &str) -> Result<Embedder, InvalidEndpoint> {
    let endpoint = Endpoint::openai(base)?;
    let safe = endpoint.uri().scheme_str() == Some("https");
    let set = || env::var_os(KEY).is_some_and(|key| !key.is_empty());
    Ok(Embedder::new(if safe && set() { endpoint.key_from_env(KEY)? } else { endpoint }))
}

/// Typed calls to one server, kept under command by a preset; made by [`embeddings`](crate::embeddings()).
///
/// A `Service<EmbedRequest>` as well, for layers around it and for requests that say more than a list of texts. Clones
/// share connections, circuit and budget.
#[derive(Clone, Debug)]
pub struct Embedder<C = HttpClient, L = Duration> {
    parts: Parts<C, L>,
    service: EmbedStack<C, L>,
    usage: Usage,
}

#[derive(Clone, Debug)]
struct Parts<C, L> {
    endpoint: Endpoint,
    model: Arc<str>,
    preset: Preset<L>,
    client: C,
    sharing: Sharing,
}

impl Embedder {
    /// Calls `endpoint`, with every other default. Nothing is read from the environment.
    pub fn new(endpoint: Endpoint) -> Self {
        let (preset, sharing) = (Preset::interactive(), Default::default());
        Parts { endpoint, model: MODEL.into(), preset, client: client(), sharing }.assemble()
    }
}

impl<C, L> Embedder<C, L>
where
    C: Clone,
    L: Limit<()> + Clone,
{
    /// The key to send.
    ///
    /// # Errors
    ///
    /// A key is visible ASCII.
    pub fn key(self, key: &str) -> Result<Self, InvalidEndpoint> {
        // What the server has said of another key is no longer true.
        if !self.parts.sharing.is_on() {
            self.parts.preset.pace().reset();
        }
        Ok(Parts { endpoint: self.parts.endpoint.key(key)?, ..self.parts }.share().assemble())
    }

    /// The model to ask; `text-embedding-3-small` unless set.
    pub fn model(self, model: &str) -> Self {
        Parts { model: model.into(), ..self.parts }.share().assemble()
    }

    /// The policies; [`Preset::interactive`] unless set.
    pub fn preset<M>(self, preset: Preset<M>) -> Embedder<C, M>
    where
        M: Limit<()> + Clone,
    {
        let Parts { endpoint, model, client, sharing, .. } = self.parts;
        Parts { endpoint, model, preset, client, sharing }.share().assemble()
    }

    /// One pace with all processes that ask the same server with the same credential for the same model, through `store`.
    ///
    /// Key, model and preset may be set before or after. The pace is the Embedder's then and no longer the preset's: it begins
    /// with the preset's settings, and is to be watched and set by [`pace`](Self::pace).
    #[cfg(feature = "redis")]
    pub fn shared(self, store: &RedisStore) -> Self {
        Parts { sharing: Sharing(Some(store.clone())), ..self.parts }.share().assemble()
    }

    /// The service that speaks HTTP; [`client`](crate::client()) unless set.
    pub fn client<D: Clone>(self, client: D) -> Embedder<D, L> {
        let Parts { endpoint, model, preset, sharing, .. } = self.parts;
        Parts { endpoint, model, preset, client, sharing }.assemble()
    }

    /// The pace that its calls keep, as it is set now.
    pub const fn pace(&self) -> &Pace {
        self.parts.preset.pace()
    }

    /// What its calls use up of the account, since it was set as it is now.
    pub const fn usage(&self) -> &Usage {
        &self.usage
    }

    /// A request for vectors of `texts`, to say more before it is called.
    pub fn request<T: Into<String>>(&self, texts: impl IntoIterator<Item = T>) -> EmbedRequest {
        EmbedRequest::new(&*self.parts.model, texts)
    }
}

impl<C, L> Embedder<C, L>
where
    EmbedStack<C, L>: Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError> + Clone,
{
    /// A vector of each of `texts`, in one request.
    ///
    /// # Errors
    ///
    /// What the server said for the last time, or the limit that struck.
    pub async fn embed<T: Into<String>>(
        &self,
        texts: impl IntoIterator<Item = T>,
    ) -> Result<EmbedResponse, EmbedError> {
        let mut service = self.service.clone();
        let request = EmbedRequest::new(&*self.parts.model, texts);
        poll_fn(|cx| service.poll_ready(cx)).await?;
        service.call(request).await
    }

    /// A vector of each of `texts`, however many: in batches of 32, of which 4 are in flight. [`Batches`] have more to
    /// say.
    ///
    /// # Errors
    ///
    /// As for [`embed`](Self::embed), with the texts that were in the batch.
    pub async fn embed_all<T: Into<String>>(
        &self,
        texts: impl IntoIterator<Item = T>,
    ) -> Result<EmbedResponse, BatchError<EmbedError>> {
        Batches::of(&*self.parts.model, texts).embed(self.service.clone()).await
    }
}

impl<C, L> Service<EmbedRequest> for Embedder<C, L>
where
    EmbedStack<C, L>: Service<EmbedRequest>,
{
    type Response = <EmbedStack<C, L> as Service<EmbedRequest>>::Response;
    type Error = <EmbedStack<C, L> as Service<EmbedRequest>>::Error;
    type Future = <EmbedStack<C, L> as Service<EmbedRequest>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: EmbedRequest) -> Self::Future {
        self.service.call(request)
    }
}

impl<C, L> Parts<C, L>
where
    C: Clone,
    L: Limit<()> + Clone,
{
    /// With the shared pace of the account as it is now, if it is to be shared.
    fn share(self) -> Self {
        let preset = self.sharing.of(self.preset, &self.endpoint, &self.model);
        Self { preset, ..self }
    }

    fn assemble(self) -> Embedder<C, L> {
        let calls = Embeddings::new(self.client.clone(), self.endpoint.clone());
        let usage = calls.usage().clone();
        Embedder { service: self.preset.layer(calls), parts: self, usage }
    }
}

const KEY: &str = "OPENAI_API_KEY";
const MODEL: &str = "text-embedding-3-small";
