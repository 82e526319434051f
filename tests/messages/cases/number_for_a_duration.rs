//! A limit without a unit.
//! says: `{integer}` sets no limit for `Question`
//! says: a limit is a `Duration`

use std::time::Duration;

use common::{Question, judged};
use tower::ServiceBuilder;
use trysail::{CheckExt, TimeoutLayer};

fn main() {
    let _ = ServiceBuilder::new()
        .layer(TimeoutLayer::new(60)) // wrong
        .layer(TimeoutLayer::new(Duration::from_secs(60))) // right
        .service_fn(judged::<Question>)
        .checked::<Question>();
}
