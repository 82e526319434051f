//! The error has no room for an open circuit.
//! says: the error `std::io::Error` cannot say that a circuit is open
//! says: put a `ClassifyLayer` below this layer

use common::{foreign, judge};
use tower::ServiceBuilder;
use trysail::{BreakerLayer, CheckExt, Circuit, ClassifyLayer, Trip};

fn main() {
    let _ = ServiceBuilder::new()
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(ClassifyLayer::new(judge)) // right
        .service_fn(foreign)
        .checked::<common::Question>();
}
