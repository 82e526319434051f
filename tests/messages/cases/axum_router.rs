//! A router's error is `Infallible`, which no limit fits into.
//! says: the error `Infallible` cannot say that a time limit struck
//! says: `HandleErrorLayer`
//! says: `.map_err(tower::BoxError::from)`

use axum::{Router, error_handling::HandleErrorLayer, http::StatusCode};
use common::SECOND;
use tower::{BoxError, ServiceBuilder};
use trysail::TimeoutLayer;

fn main() {
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(async |_: BoxError| StatusCode::GATEWAY_TIMEOUT)) // right
        .layer(TimeoutLayer::new(SECOND))
        .map_err(tower::BoxError::from) // right
        .into_inner();
    let _: Router = Router::new().layer(layers);
}
