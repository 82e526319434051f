use std::time::Duration;

use tower::{Layer, ServiceBuilder};
use trysail::{Backoff, BreakerLayer, Circuit, RetryLayer, TimeoutLayer, Trip};

use crate::drive::{Nothing, calls};

/// Something whose calls are counted.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(u64),
}

const READY: Nothing = Nothing { pending: false };
const PENDING: Nothing = Nothing { pending: true };
const LIMIT: Duration = Duration::from_secs(20);

/// The bare service first, which the others are compared to.
pub(crate) const ALL: &[Case] = &[
    Case { name: "bare, ready", run: |n| calls(READY, n) },
    Case { name: "tower timeout, ready", run: |n| calls(tower::timeout::TimeoutLayer::new(LIMIT).layer(READY), n) },
    Case { name: "trysail timeout, ready", run: |n| calls(TimeoutLayer::new(LIMIT).layer(READY), n) },
    Case { name: "trysail retry, ready", run: |n| calls(retry().layer(READY), n) },
    Case { name: "trysail breaker, ready", run: |n| calls(breaker().layer(READY), n) },
    Case { name: "trysail stack, ready", run: |n| calls(stack(READY), n) },
    Case { name: "bare, pending", run: |n| calls(PENDING, n) },
    Case { name: "tower timeout, pending", run: |n| calls(tower::timeout::TimeoutLayer::new(LIMIT).layer(PENDING), n) },
    Case { name: "trysail timeout, pending", run: |n| calls(TimeoutLayer::new(LIMIT).layer(PENDING), n) },
    Case { name: "trysail retry, pending", run: |n| calls(retry().layer(PENDING), n) },
    Case { name: "trysail breaker, pending", run: |n| calls(breaker().layer(PENDING), n) },
    Case { name: "trysail stack, pending", run: |n| calls(stack(PENDING), n) },
];

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(Duration::from_millis(100)))
}

fn breaker() -> BreakerLayer {
    BreakerLayer::new(Circuit::new(Trip::default()))
}

fn stack(inner: Nothing) -> impl tower::Service<u64, Response = u64> {
    ServiceBuilder::new().layer(retry()).layer(breaker()).layer(TimeoutLayer::new(LIMIT)).service(inner)
}
