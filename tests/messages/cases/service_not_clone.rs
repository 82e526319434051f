//! A second attempt needs a second service.
//! says: cannot be cloned, so a retry has nothing to ask again
//! says: `.buffer(

use common::{Question, backoff, judged};
use tower::{ServiceBuilder, util::BoxService};
use trysail::{CheckExt, RetryLayer};

fn main() {
    let _ = ServiceBuilder::new()
        .layer(RetryLayer::new(backoff()))
        .service(BoxService::new(tower::service_fn(judged::<Question>))) // wrong
        .service(tower::util::BoxCloneService::new(tower::service_fn(judged::<Question>))) // right
        .checked::<Question>();
}
