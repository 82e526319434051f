//! Timeout, retry, timeout of trysail.

use tower::{BoxError, ServiceBuilder};
use trysail::{Backoff, RetryLayer, TimeoutLayer, Verdict};
use trysail_size::{ATTEMPT, FIRST, OVERALL};

fn main() -> Result<(), BoxError> {
    let judge = |outcome: Result<&usize, &BoxError>| outcome.map_or(Verdict::TRANSIENT, |_| Verdict::SUCCESS);
    let stack = ServiceBuilder::new()
        .layer(TimeoutLayer::new(OVERALL))
        .layer(RetryLayer::new(Backoff::exponential(FIRST)).classify_with(judge).within(OVERALL))
        .layer(TimeoutLayer::new(ATTEMPT));
    trysail_size::call(stack.service(trysail_size::flaky()))
}
