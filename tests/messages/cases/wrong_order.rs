//! The judge stands above the limit, whose error it would have to have judged.
//! says: the error `std::io::Error` cannot say that a time limit struck
//! says: put a `ClassifyLayer` below this layer

use common::{SECOND, foreign, judge};
use tower::ServiceBuilder;
use trysail::{CheckExt, ClassifyLayer, TimeoutLayer};

fn main() {
    let _ = ServiceBuilder::new()
        .layer(ClassifyLayer::new(judge)) // wrong
        .layer(TimeoutLayer::new(SECOND))
        .layer(ClassifyLayer::new(judge)) // right
        .service_fn(foreign)
        .checked::<common::Question>();
}
