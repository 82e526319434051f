//! All four layers of trysail.

use tower::{BoxError, ServiceBuilder, ServiceExt};
use trysail::{Backoff, BreakerLayer, Budget, Circuit, ClassifyLayer, RetryLayer, TimeoutLayer, Trip, Verdict};
use trysail_size::{ATTEMPT, FIRST, OVERALL};

fn main() -> Result<(), BoxError> {
    let judge = |outcome: Result<&usize, &BoxError>| outcome.map_or(Verdict::TRANSIENT, |_| Verdict::SUCCESS);
    let stack = ServiceBuilder::new()
        .layer(TimeoutLayer::new(OVERALL))
        .layer(RetryLayer::new(Backoff::exponential(FIRST)).within(OVERALL).budget(Budget::default()))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(ATTEMPT))
        .layer(ClassifyLayer::new(judge));
    trysail_size::call(stack.service(trysail_size::flaky()).map_err(BoxError::from))
}
