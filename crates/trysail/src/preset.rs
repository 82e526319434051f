#[cfg(feature = "redis")]
use std::hash::Hash;
use std::time::Duration;

use tower_layer::Layer;
use trysail_breaker::{Breaker, BreakerLayer, Circuit, CircuitSettings, Trip};
use trysail_core::{Inherit, Limit, Scope};
use trysail_http::OrDeadline;
use trysail_providers::Idempotent;
use trysail_retry::{Backoff, Budget, PerRequest, Retry, RetryHandle, RetryLayer, RetrySettings};
#[cfg(feature = "redis")]
use trysail_throttle::redis::RedisStore;
use trysail_throttle::{Demand, Pace, PaceSettings, Rate, Throttle, ThrottleLayer};
use trysail_timeout::{Timeout, TimeoutLayer};

use crate::{AccountPace, Tokens};

/// What a [`Preset`] makes of a service: overall limit, retry, throttle, breaker, limit of one attempt.
pub type Stack<S, L = Duration> = Timeout<
    Retry<
        Throttle<Breaker<Timeout<S, OrDeadline<L>>>, AccountPace, Inherit, Demand<Tokens, OrDeadline<L>, Tokens>>,
        Backoff,
        Inherit,
        PerRequest<Idempotent, OrDeadline<L>>,
    >,
    OrDeadline<L>,
>;

/// The five policies in the right order, with settings that fit each other.
///
/// It goes around any service whose errors are judged: `Embeddings`, or a `ClassifyLayer` over a `CollectLayer`.
/// All services made by one preset share its circuit, its budget and its pace. A request's own
/// [`Deadline`](trysail_http::Deadline) is kept.
///
/// The limits of the account are learnt from what answers say is left of them, or set: by
/// [`requests_per_minute`](Self::requests_per_minute) and [`tokens_per_minute`](Self::tokens_per_minute), or at any time
/// by [`pace`](Self::pace). A call whose turn would come after its time is up is refused at once, and told when to come back.
///
/// | default | `interactive` | `bulk` | changed by |
/// |---|---|---|---|
/// | the whole call | 60 s | 600 s | [`overall`](Self::overall) |
/// | one attempt, body included | 20 s | 120 s | [`attempt`](Self::attempt) |
/// | retries at most | 3 | 20 | [`retries`](Self::retries) |
/// | backoff, with full jitter | 100 ms, x 2, up to 10 s | 100 ms, x 2, up to 10 s | [`backoff`](Self::backoff) |
/// | patience with a server's hint | 120 s | 120 s | [`retry_settings`](Self::retry_settings) |
/// | least time for an attempt | 50 ms | 50 ms | [`retry_settings`](Self::retry_settings) |
/// | a retry budget earns, a call | 0.2 | 0.2 | [`budget`](Self::budget) |
/// | a retry budget has room for | 3 to 36 retries | 4 to 4 retries | [`concurrency`](Self::concurrency), [`budget`](Self::budget) |
/// | waits for an open circuit, and for the budget | no | yes | |
/// | requests and tokens in a minute | as learnt | as learnt | [`pace`](Self::pace) |
/// | calls in flight | no limit | no limit | [`pace`](Self::pace) |
/// | calls that wait for their turn | 10000 | 10000 | [`pace`](Self::pace) |
/// | all calls pause as long as the server asks, up to | 600 s | 600 s | [`pace`](Self::pace) |
/// | the circuit opens after failures in a row | 5 that span 1 s, or 20 | 22 that span 1 s, or 22 | [`circuit`](Self::circuit) |
/// | or at a failure rate of | 50 % of 20 calls in 40 s | 50 % of 20 calls in 40 s | [`circuit`](Self::circuit) |
/// | it stays open for | 5 s, then up to 15 s | 5 s, then up to 15 s | [`circuit`](Self::circuit) |
/// | or as long as the server asks, up to | 60 s | 60 s | [`circuit`](Self::circuit) |
/// | probes at once | 1 | 1 | [`circuit`](Self::circuit) |
/// | a probe is given up after | 21 s | 121 s | [`circuit`](Self::circuit) |
/// | a caller's impatience counts after | 1 s | 1 s | [`circuit`](Self::circuit) |
///
/// Below it, the ready-made foot connects within 3.1 s and takes bodies of 64 MiB that are silent for 20 s at most.
#[derive(Clone, Debug)]
pub struct Preset<L = Duration> {
    overall: L,
    attempt: L,
    retry: RetryHandle,
    retries: u32,
    seed: Option<u64>,
    bulk: bool,
    circuit: Circuit,
    budget: Budget,
    pace: AccountPace,
}

impl Preset {
    /// For a query somebody waits for: 20 s an attempt, 3 retries, 60 s in all; an open circuit fails it at once.
    pub fn interactive() -> Self {
        Self {
            overall: Duration::from_secs(60),
            attempt: Duration::from_secs(20),
            retry: RetryHandle::new(RetrySettings::new(Backoff::exponential(Duration::from_millis(100)))),
            retries: 3,
            seed: None,
            bulk: false,
            circuit: Circuit::new(CircuitSettings::new(Trip::default()).abandoned_after(ABANDONED)),
            budget: Budget::default(),
            pace: AccountPace::new(Pace::new(PaceSettings::new().without_search())),
        }
    }

    /// For an indexing job: 120 s an attempt, 20 retries, 10 min in all, and it waits for an open circuit, for
    /// the budget, and for as long as the server asks.
    pub fn bulk() -> Self {
        Self { overall: Duration::from_secs(600), attempt: Duration::from_secs(120), bulk: true, ..Self::interactive() }
            .retries(20)
            .concurrency(4)
    }
}

/// [`interactive`](Preset::interactive).
impl Default for Preset {
    fn default() -> Self {
        Self::interactive()
    }
}

impl<L> Preset<L> {
    /// How long a call may take in all, for the outer timeout and the retry alike.
    pub fn overall(self, overall: L) -> Self {
        Self { overall, ..self }
    }

    /// How long one attempt may take.
    pub fn attempt(self, attempt: L) -> Self {
        Self { attempt, ..self }
    }

    /// Both limits, of another kind: two [`Adjustable`](trysail_timeout::Adjustable)s can be changed at run time.
    pub fn limits<M>(self, overall: M, attempt: M) -> Preset<M> {
        let Self { retry, retries, seed, bulk, circuit, budget, pace, .. } = self;
        Preset { overall, attempt, retry, retries, seed, bulk, circuit, budget, pace }
    }

    /// How long to wait before each repetition; from 100 ms on, twice as long each time, unless set.
    pub fn backoff(self, backoff: Backoff) -> Self {
        let retries = self.retries;
        self.change_retry(|settings| settings.backoff(backoff.retries(retries)))
    }

    /// What events of its circuit and its pace call it, which are others from then on.
    pub fn named(self, name: impl Into<Box<str>>) -> Self {
        let name = name.into();
        let pace = AccountPace::new(self.pace().renamed(name.clone()));
        Self { circuit: Circuit::named(name, self.circuit.settings()), pace, ..self }
    }

    /// How often a call is repeated at most, whatever the backoff says.
    pub fn retries(self, retries: u32) -> Self {
        let changed = self.change_retry(|settings| settings.map_backoff(|backoff| backoff.retries(retries)));
        Self { retries, ..changed }
    }

    /// Makes all jitter repeatable, that of the circuit included.
    pub fn seed(self, seed: u64) -> Self {
        self.circuit.seed(seed);
        let seeded = self.change_retry(|settings| settings.map_backoff(|backoff| backoff.seed(seed)));
        Self { seed: Some(seed), ..seeded }
    }

    /// How many calls are in flight at most, for a bulk job, whose budget is that of a
    /// [`closed_loop`](trysail_retry::BudgetSettings::closed_loop). 4 unless set.
    pub fn concurrency(self, calls: u32) -> Self {
        Self { budget: Budget::new(self.budget.settings().closed_loop(calls)), ..self }
    }

    /// How many requests the account may send in a minute. If the server says less, that holds.
    pub fn requests_per_minute(self, requests: u64) -> Self {
        self.change_pace(|settings| settings.requests(Rate::per_minute(requests)))
    }

    /// How many tokens the account may use in a minute. If the server says less, that holds.
    ///
    /// Typed calls cost as many as they are likely to, and then as many as the server has counted. A call of plain HTTP costs
    /// one, so that this is no limit for it but that which the server's answers make of it.
    pub fn tokens_per_minute(self, tokens: u64) -> Self {
        self.change_pace(|settings| settings.cost(Rate::per_minute(tokens)))
    }

    /// One pace with all processes that keep that of `key` in `store`: for an account, the `key` is
    /// [`Endpoint::account`](crate::Endpoint::account). What is set of it stays set, and may be set before or after.
    ///
    /// Without the store calls go on, at the share that this process had. [`PaceSnapshot::store`](trysail_throttle::PaceSnapshot::store)
    /// says which, and `replicas` with how many.
    #[cfg(feature = "redis")]
    pub fn shared(self, store: &RedisStore, key: impl Hash) -> Self {
        let pace = store.pace(key, self.pace().settings());
        let pace = self.pace().name().map_or(pace.clone(), |name| pace.renamed(name));
        Self { pace: AccountPace::new(pace), ..self }
    }

    /// Backoff, retries and patience of all services of this preset, to be changed while they run.
    pub fn retry_settings(&self) -> &RetryHandle {
        &self.retry
    }

    /// The budget that all services of this preset share.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The pace that all services of this preset keep: how it is set, what is known of the account, what calls have cost. It
    /// may be set anew at any time, and is to be [reset](Pace::reset) when the key has been changed.
    ///
    /// It is that of one account: of typed calls with the key of their endpoint, or of plain HTTP requests with the credential
    /// that was seen first. Requests that carry another keep a [pace of their own](AccountPace), set as this one is when they are
    /// first seen. Where models have limits of their own, put a [`ThrottleLayer`] over [`Paces`](trysail_throttle::Paces) into a
    /// stack of your own.
    pub const fn pace(&self) -> &Pace {
        &self.pace.pace
    }

    /// The circuit that all services of this preset share. Its settings may be changed at any time; each service that is
    /// made widens them to [fit](CircuitSettings::fit) its limit of an attempt and its retries.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// Leaves the settings of services alone that were made before.
    fn change_retry(self, change: impl FnOnce(RetrySettings) -> RetrySettings) -> Self {
        Self { retry: RetryHandle::new(change(self.retry.get())), ..self }
    }

    /// The same.
    fn change_pace(self, change: impl FnOnce(PaceSettings) -> PaceSettings) -> Self {
        Self { pace: AccountPace::new(self.pace().anew(change(self.pace().settings()))), ..self }
    }
}

impl<L> Preset<L>
where
    L: Limit<()> + Clone,
{
    fn retry(&self) -> RetryLayer<Backoff, Inherit, PerRequest<Idempotent, OrDeadline<L>>> {
        let layer = RetryLayer::adjustable(&self.retry)
            .replay(Idempotent)
            .within(OrDeadline(self.overall.clone()))
            .budget(self.budget.clone());
        let layer = if let Some(seed) = self.seed { layer.seed(seed) } else { layer };
        if self.bulk { layer.patient() } else { layer }
    }

    fn throttle(&self) -> ThrottleLayer<AccountPace, Inherit, Demand<Tokens, OrDeadline<L>, Tokens>> {
        ThrottleLayer::new(self.pace.clone()).cost(Tokens).most(OrDeadline(self.overall.clone())).learn_with(Tokens)
    }

    fn breaker(&self) -> BreakerLayer {
        let attempt = self.attempt.limit(&()).unwrap_or(NO_LIMIT);
        self.circuit.update(|settings| settings.fit(attempt, self.retries));
        BreakerLayer::new(self.circuit.clone())
    }
}

/// `L` is a `Duration`, an `Adjustable`, or any [`Limit`] that needs no request to say what it is.
impl<S, L> Layer<S> for Preset<L>
where
    L: Limit<()> + Clone,
{
    type Service = Stack<S, L>;

    fn layer(&self, inner: S) -> Stack<S, L> {
        let limit = |limit: &L, scope| TimeoutLayer::new(OrDeadline(limit.clone())).scope(scope);
        let attempt = limit(&self.attempt, Scope::Attempt).layer(inner);
        let retry = self.retry().layer(self.throttle().layer(self.breaker().layer(attempt)));
        limit(&self.overall, Scope::Overall).layer(retry)
    }
}

/// How long a caller must have waited for his impatience to speak against the server.
const ABANDONED: Duration = Duration::from_secs(1);
/// What stands for the limit of an attempt that has none.
const NO_LIMIT: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests;
