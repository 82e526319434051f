//! What cannot be copied is not sent twice.
//! says: cannot repeat `common::Once`
//! says: make the request `Clone`
//! says: `.replay(

use common::{Once, backoff, judged};
use tower::ServiceBuilder;
use trysail::{CheckExt, RetryLayer};

fn main() {
    let retry = RetryLayer::new(backoff());
    let retry = retry.replay(|_: &Once| Some(Once)); // right
    let _ = ServiceBuilder::new().layer(retry).service_fn(judged::<Once>).checked::<Once>();
}
