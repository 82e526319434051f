#![cfg_attr(all(feature = "client", feature = "embeddings"), doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "client", feature = "embeddings")),
    doc = "Keeps calls to embedding servers under command."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(feature = "providers", feature = "throttle"))]
mod account_pace;
mod check;
#[cfg(all(
    feature = "breaker",
    feature = "client",
    feature = "embeddings",
    feature = "retry",
    feature = "throttle",
    feature = "timeout"
))]
mod embedder;
#[cfg(all(feature = "classify", feature = "providers"))]
mod http;
#[cfg(all(feature = "retry", any(feature = "metrics", feature = "tracing")))]
pub mod observe;
pub mod prelude;
#[cfg(all(feature = "breaker", feature = "providers", feature = "retry", feature = "throttle", feature = "timeout"))]
mod preset;
#[cfg(feature = "record")]
pub mod record;
#[cfg(all(
    feature = "breaker",
    feature = "client",
    feature = "embeddings",
    feature = "retry",
    feature = "throttle",
    feature = "timeout"
))]
mod sharing;
#[cfg(all(feature = "providers", feature = "throttle"))]
mod tokens;

#[cfg(feature = "breaker")]
pub use trysail_breaker as breaker;
#[cfg(feature = "classify")]
pub use trysail_classify as classify;
pub use trysail_core as verdict;
#[cfg(feature = "embeddings")]
pub use trysail_embeddings as embeddings;
#[cfg(feature = "failover")]
pub use trysail_failover as failover;
#[cfg(feature = "http")]
pub use trysail_http as transport;
#[cfg(feature = "providers")]
pub use trysail_providers as providers;
#[cfg(feature = "retry")]
pub use trysail_retry as retry;
#[cfg(feature = "throttle")]
pub use trysail_throttle as throttle;
#[cfg(feature = "timeout")]
pub use trysail_timeout as timeout;

#[cfg(feature = "breaker")]
#[doc(no_inline)]
pub use trysail_breaker::{Breaker, BreakerLayer, Circuit, CircuitSettings, Circuits, Keyed, Trip};
#[cfg(feature = "classify")]
#[doc(no_inline)]
pub use trysail_classify::{Classify, ClassifyLayer};
#[doc(no_inline)]
pub use trysail_core::{Class, Classified, Classifier, Elapsed, Failure, Held, Limit, Open, Replay, Verdict};
#[cfg(feature = "embeddings")]
#[doc(no_inline)]
pub use trysail_embeddings::{
    Batches, Chunks, EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint, LearnUsage, Rerank, RerankRequest,
    RerankResponse, Sparse, SparseResponse,
};
#[cfg(feature = "failover")]
#[doc(no_inline)]
pub use trysail_failover::{Failover, FailoverLayer};
#[cfg(feature = "client")]
#[doc(no_inline)]
pub use trysail_http::Client;
#[cfg(feature = "http")]
#[doc(no_inline)]
pub use trysail_http::{
    ByStatus, Collect, CollectLayer, Deadline, OrDeadline, OrOwn, SendDeadlineLayer, TakeDeadlineLayer, TimeLimit,
    WithStatus,
};
#[cfg(feature = "providers")]
#[doc(no_inline)]
pub use trysail_providers::{Idempotent, Providers};
#[cfg(feature = "retry")]
#[doc(no_inline)]
pub use trysail_retry::{Backoff, Budget, Budgets, Retry, RetryLayer, RetryReport, report};
#[cfg(feature = "redis")]
#[doc(no_inline)]
pub use trysail_throttle::redis::RedisStore;
#[cfg(feature = "throttle")]
#[doc(no_inline)]
pub use trysail_throttle::{Pace, PaceSettings, Paces, Rate, Throttle, ThrottleLayer};
#[cfg(feature = "timeout")]
#[doc(no_inline)]
pub use trysail_timeout::{Adjustable, ReadyTimeout, ReadyTimeoutLayer, Timeout, TimeoutLayer};

pub use crate::check::CheckExt;
#[cfg(all(
    feature = "breaker",
    feature = "client",
    feature = "embeddings",
    feature = "retry",
    feature = "throttle",
    feature = "timeout"
))]
pub use crate::embedder::{EmbedStack, Embedder, embeddings};
#[cfg(all(feature = "classify", feature = "providers"))]
pub use crate::http::HttpLayer;
#[cfg(feature = "client")]
pub use crate::http::{HttpClient, HttpError, HttpRequest, client};
#[cfg(all(
    feature = "breaker",
    feature = "providers",
    feature = "retry",
    feature = "throttle",
    feature = "timeout"
))]
pub use crate::preset::{Preset, Stack};

#[cfg(all(feature = "providers", feature = "throttle"))]
pub use crate::{account_pace::AccountPace, tokens::Tokens};

#[cfg(feature = "metrics")]
#[doc(no_inline)]
pub use crate::observe::Gauges;
#[cfg(all(feature = "retry", any(feature = "metrics", feature = "tracing")))]
#[doc(no_inline)]
pub use crate::observe::ObserveLayer;

/// Compiles the samples of the manual.
#[cfg(all(doctest, feature = "client", feature = "embeddings"))]
#[doc = include_str!("../../../docs/timeouts.md")]
struct Timeouts;

/// Runs the samples of the manual.
#[cfg(all(
    doctest,
    feature = "breaker",
    feature = "classify",
    feature = "client",
    feature = "embeddings",
    feature = "failover",
    feature = "retry",
    feature = "throttle",
    feature = "timeout"
))]
#[doc = include_str!("../../../docs/stacking.md")]
struct Stacking;

/// Compiles the samples of the manual.
#[cfg(all(doctest, feature = "metrics"))]
#[doc = include_str!("../../../docs/metrics.md")]
struct Metrics;
