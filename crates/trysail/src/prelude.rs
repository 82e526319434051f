//! What most programs need, for a glob import.
//!
//! ```
//! use trysail::prelude::*;
//! ```

#[doc(no_inline)]
pub use tower_layer::Layer;
#[doc(no_inline)]
pub use tower_service::Service;
#[cfg(feature = "breaker")]
#[doc(no_inline)]
pub use trysail_breaker::{BreakerLayer, Circuit, Trip};
#[cfg(feature = "classify")]
#[doc(no_inline)]
pub use trysail_classify::ClassifyLayer;
#[doc(no_inline)]
pub use trysail_core::{Class, Classified, Classifier, Failure, Verdict};
#[cfg(feature = "embeddings")]
#[doc(no_inline)]
pub use trysail_embeddings::{
    Batches, Chunks, EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint, Rerank, RerankRequest,
    RerankResponse, Sparse, SparseResponse,
};
#[cfg(feature = "retry")]
#[doc(no_inline)]
pub use trysail_retry::{Backoff, Budget, RetryLayer};
#[cfg(feature = "timeout")]
#[doc(no_inline)]
pub use trysail_timeout::{Adjustable, TimeoutLayer};

pub use crate::CheckExt;
#[cfg(feature = "http")]
#[doc(no_inline)]
pub use crate::CollectLayer;
#[cfg(all(feature = "classify", feature = "providers"))]
#[doc(no_inline)]
pub use crate::HttpLayer;
#[cfg(all(
    feature = "breaker",
    feature = "providers",
    feature = "retry",
    feature = "throttle",
    feature = "timeout"
))]
#[doc(no_inline)]
pub use crate::Preset;
#[cfg(feature = "client")]
#[doc(no_inline)]
pub use crate::{Client, HttpClient, HttpError, HttpRequest};
#[cfg(feature = "providers")]
#[doc(no_inline)]
pub use crate::{Idempotent, Providers};
