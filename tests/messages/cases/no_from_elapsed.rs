//! The error has no room for a limit that strikes.
//! says: the error `std::io::Error` cannot say that a time limit struck
//! says: put a `ClassifyLayer` below this layer
//! says: `From<trysail_core::Elapsed>`

use common::{SECOND, foreign, judge};
use tower::ServiceBuilder;
use trysail::{CheckExt, ClassifyLayer, TimeoutLayer};

fn main() {
    let _ = ServiceBuilder::new()
        .layer(TimeoutLayer::new(SECOND))
        .layer(ClassifyLayer::new(judge)) // right
        .service_fn(foreign)
        .checked::<common::Question>();
}
