use std::time::Duration;

use tower_layer::Layer;
use trysail_breaker::{Breaker, BreakerLayer, Circuit, Trip};
use trysail_core::{Inherit, Scope};
use trysail_http::{Idempotent, OrDeadline};
use trysail_retry::{Backoff, Retry, RetryLayer, Terms};
use trysail_timeout::{Timeout, TimeoutLayer};

/// What a [`Preset`] makes of a service: overall limit, retry, breaker, limit of one attempt.
pub type Stack<S> = Timeout<
    Retry<Breaker<Timeout<S, OrDeadline<Duration>>>, Backoff, Inherit, Terms<Idempotent, OrDeadline<Duration>>>,
    OrDeadline<Duration>,
>;

/// The four policies in the right order, with settings that fit each other.
///
/// It goes around any service whose errors are judged: `Embeddings`, or a `ClassifyLayer` over a `CollectLayer`.
/// All services made by one preset share its circuit.
#[derive(Clone, Debug)]
pub struct Preset {
    overall: Duration,
    attempt: Duration,
    retries: u32,
    patience: Option<Duration>,
    wait_while_open: bool,
    circuit: Circuit,
}

impl Preset {
    /// For a query somebody waits for: 20 s an attempt, 3 retries, 60 s in all; an open circuit fails it at once.
    pub fn interactive() -> Self {
        Self {
            overall: Duration::from_secs(60),
            attempt: Duration::from_secs(20),
            retries: 3,
            patience: None,
            wait_while_open: false,
            circuit: Circuit::new(Trip::default()).abandoned_after(ABANDONED),
        }
    }

    /// For an indexing job: 120 s an attempt, 20 retries, 10 min in all, and it waits while the circuit is open, or
    /// for as long as the server asks.
    pub fn bulk() -> Self {
        Self {
            overall: Duration::from_secs(600),
            attempt: Duration::from_secs(120),
            retries: 20,
            patience: Some(Duration::MAX),
            wait_while_open: true,
            ..Self::interactive()
        }
    }

    /// How long a call may take in all.
    pub fn overall(self, overall: Duration) -> Self {
        Self { overall, ..self }
    }

    /// How long one attempt may take.
    pub fn attempt(self, attempt: Duration) -> Self {
        Self { attempt, ..self }
    }

    /// How often a call is repeated at most.
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// The circuit that all services of this preset share.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    fn retry(&self) -> RetryLayer<Backoff, Inherit, Terms<Idempotent, OrDeadline<Duration>>> {
        let layer = RetryLayer::new(Backoff::exponential(Duration::from_millis(100)).retries(self.retries))
            .replay(Idempotent)
            .within(OrDeadline(self.overall));
        let layer = match self.patience {
            Some(patience) => layer.patience(patience.min(self.overall)),
            None => layer,
        };
        if self.wait_while_open { layer.wait_while_open() } else { layer }
    }

    fn breaker(&self) -> BreakerLayer {
        let lease = self.attempt.saturating_add(LEASE_GRACE);
        BreakerLayer::new(self.circuit.clone().outlast(self.retries).lease(lease))
    }
}

impl<S> Layer<S> for Preset {
    type Service = Stack<S>;

    fn layer(&self, inner: S) -> Stack<S> {
        let limit = |limit, scope| TimeoutLayer::new(OrDeadline(limit)).scope(scope);
        let attempt = limit(self.attempt, Scope::Attempt).layer(inner);
        let retry = self.retry().layer(self.breaker().layer(attempt));
        limit(self.overall, Scope::Overall).layer(retry)
    }
}

/// How long a caller must have waited for his impatience to speak against the server.
const ABANDONED: Duration = Duration::from_secs(1);
/// What a probe is given beyond the limit of its attempt.
const LEASE_GRACE: Duration = Duration::from_secs(1);
