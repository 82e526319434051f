//! What can be seen of calls from outside: metrics, and a span of each.

mod future;
#[cfg(feature = "metrics")]
mod gauges;
mod labels;
mod layer;
mod meter;
mod service;
mod span;
#[cfg(feature = "metrics")]
mod used;

#[cfg(feature = "metrics")]
pub use self::gauges::Gauges;
pub use self::{future::ResponseFuture, layer::ObserveLayer, service::Observe};
