//! Nobody says what is a failure.
//! says: `Inherit` does not judge outcomes of `u32` and `std::io::Error`
//! says: wants errors that were judged
//! says: put a `ClassifyLayer` below this layer

use common::{backoff, foreign, judge};
use tower::ServiceBuilder;
use trysail::{CheckExt, ClassifyLayer, RetryLayer};

fn main() {
    let _ = ServiceBuilder::new()
        .layer(RetryLayer::new(backoff()))
        .layer(ClassifyLayer::new(judge)) // right
        .service_fn(foreign)
        .checked::<common::Question>();
}
