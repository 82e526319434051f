use std::time::Duration;

use recloser::{AsyncRecloser, Recloser};
use tower::{Layer, ServiceBuilder};
use trysail::{Backoff, BreakerLayer, Budget, Circuit, RetryLayer, TimeoutLayer, Trip};

use crate::{
    contention,
    drive::{Nothing, calls},
    peers::{self, Reclosed},
};

/// Something whose calls are counted.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(u64),
}

const READY: Nothing = Nothing { pending: false };
const PENDING: Nothing = Nothing { pending: true };
const LIMIT: Duration = Duration::from_secs(20);

macro_rules! cases {
    ($($name:literal => |$inner:ident| $service:expr;)*) => {
        /// Each around a service that is ready at once, then all around one that is pending once.
        pub(crate) const ALL: &[Case] = &[
            $(Case { name: concat!($name, ", ready"), run: |n| { let $inner = READY; calls($service, n) } },)*
            $(Case { name: concat!($name, ", pending"), run: |n| { let $inner = PENDING; calls($service, n) } },)*
        ];
    };
}

cases! {
    "bare" => |inner| inner;
    "tower timeout" => |inner| tower::timeout::TimeoutLayer::new(LIMIT).layer(inner);
    "trysail timeout" => |inner| TimeoutLayer::new(LIMIT).layer(inner);
    "tower retry" => |inner| tower::retry::RetryLayer::new(peers::Thrice::default()).layer(inner);
    "trysail retry" => |inner| retry().layer(inner);
    "tower retry, budget" => |inner| tower::retry::RetryLayer::new(peers::Thrice::budgeted()).layer(inner);
    "trysail retry, budget" => |inner| retry().budget(Budget::default()).layer(inner);
    "recloser" => |inner| Reclosed::new(inner, recloser());
    "trysail breaker, streak" => |inner| BreakerLayer::new(Circuit::new(Trip::consecutive(5))).layer(inner);
    "trysail breaker, last 100" => |inner| BreakerLayer::new(Circuit::new(Trip::rate(0.5).last(100))).layer(inner);
    "trysail breaker, default" => |inner| BreakerLayer::new(Circuit::new(Trip::default())).layer(inner);
    "trysail breaker, open" => |inner| contention::open().layer(inner);
    "peers, stacked" => |inner| ServiceBuilder::new()
        .layer(tower::retry::RetryLayer::new(peers::Thrice::default()))
        .layer_fn(|inner| Reclosed::new(inner, recloser()))
        .layer(tower::timeout::TimeoutLayer::new(LIMIT))
        .service(inner);
    "trysail, stacked, streak" => |inner| ServiceBuilder::new()
        .layer(retry())
        .layer(BreakerLayer::new(Circuit::new(Trip::consecutive(5))))
        .layer(TimeoutLayer::new(LIMIT))
        .service(inner);
    "trysail, stacked, default" => |inner| ServiceBuilder::new()
        .layer(retry())
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(LIMIT))
        .service(inner);
}

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(Duration::from_millis(100)))
}

fn recloser() -> AsyncRecloser {
    AsyncRecloser::from(Recloser::default())
}
