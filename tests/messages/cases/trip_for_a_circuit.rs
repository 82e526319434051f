//! When a circuit opens is no circuit yet.
//! says: `Trip` does not say which `trysail::Circuit` a request `Question` goes through
//! says: `Circuit::new(trip)`

use common::{Question, judged};
use tower::ServiceBuilder;
use trysail::{BreakerLayer, CheckExt, Circuit, Trip};

fn main() {
    let _ = ServiceBuilder::new()
        .layer(BreakerLayer::new(Trip::default())) // wrong
        .layer(BreakerLayer::new(Circuit::new(Trip::default()))) // right
        .service_fn(judged::<Question>)
        .checked::<Question>();
}
