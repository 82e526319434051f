//! The judge reads bodies, and the answer has none yet.
//! says: `Providers` does not judge outcomes of
//! says: put a `CollectLayer` below the `ClassifyLayer`

use common::{Web, web};
use tower::ServiceBuilder;
use trysail::{CheckExt, ClassifyLayer, CollectLayer, Providers};

fn main() {
    let _ = ServiceBuilder::new()
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1 << 20)) // right
        .service_fn(web)
        .checked::<Web>();
}
