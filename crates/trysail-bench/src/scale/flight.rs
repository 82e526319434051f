use std::{
    mem,
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

use recloser::{AsyncRecloser, Recloser};
use tower::{Service, ServiceBuilder};
use trysail::{BreakerLayer, Budget, RetryLayer, TimeoutLayer};

use crate::{
    callgrind::Counted,
    drive,
    fault::Fault,
    nothing::Nothing,
    peers::{Reclosed, ThriceBudgeted},
    scale::{Apart, bytes, costs},
    table::Table,
};

macro_rules! in_flight {
    ($($name:literal => $stack:ident;)*) => {
        /// The stacks, each with 1 call in flight, then with 10, and so on.
        pub(super) const CALLS: &[Counted] = &[
            $(
                Counted { name: concat!($name, ", 1 in flight"), run: |calls| rounds($stack(), 1, calls) },
                Counted { name: concat!($name, ", 10 in flight"), run: |calls| rounds($stack(), 10, calls) },
                Counted { name: concat!($name, ", 100 in flight"), run: |calls| rounds($stack(), 100, calls) },
                Counted { name: concat!($name, ", 1000 in flight"), run: |calls| rounds($stack(), 1_000, calls) },
                Counted { name: concat!($name, ", 10000 in flight"), run: |calls| rounds($stack(), 10_000, calls) },
            )*
        ];

        /// As many calls in flight as are asked for.
        pub(super) const HELD: &[Counted] = &[
            $(Counted { name: concat!($name, ", held"), run: |calls| mem::forget(begun(&mut $stack(), calls)) },)*
        ];
    };
}

in_flight! {
    "trysail" => trysail;
    "peers" => peers;
}

pub(super) fn table() -> Result<Table, String> {
    let about = "Retry with a budget, breaker and timeout around a service that is pending once: so many calls are \
                 begun and polled, then completed in turn, each in a box of its own. Nanoseconds and instructions a \
                 call; bytes of the heap for each call in flight, box and timers included. Peers: tower and recloser.";
    let columns = ["calls in flight", "ns", "instructions", "bytes", "peers: ns", "instructions", "bytes"];
    let mut table = Table::new("Scale: calls in flight", about, &columns);
    let costs = costs(CALLS)?;
    let (ours, peers) = costs.split_at(SIZES.len());
    for ((size, ours), peers) in SIZES.into_iter().zip(ours).zip(peers) {
        let mut row = vec![size.to_string()];
        for (cost, held) in [ours, peers].into_iter().zip(HELD) {
            row.extend(cost.clone());
            row.push(bytes(held, size)?);
        }
        table.rows.push(row);
    }
    Ok(table)
}

fn rounds<S: Service<u64, Error: Into<Fault>> + Clone>(mut service: S, in_flight: u64, calls: u64) {
    // What is called from here alone would be compiled into here.
    drive::calls(service.clone(), |value| value, 2);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..calls / in_flight {
        for mut call in begun(&mut service, in_flight) {
            assert!(call.as_mut().poll(&mut cx).is_ready());
        }
    }
}

/// So many calls, each of them waiting.
fn begun<S: Service<u64>>(service: &mut S, calls: u64) -> Vec<Pin<Box<S::Future>>> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut begin = |value| {
        assert!(service.poll_ready(&mut cx).is_ready());
        let mut call = Box::pin(service.call(value));
        assert!(call.as_mut().poll(&mut cx).is_pending());
        call
    };
    (0..calls).map(&mut begin).collect()
}

fn trysail() -> impl Service<u64, Error = Fault> + Clone {
    ServiceBuilder::new()
        .layer(RetryLayer::default().budget(Budget::default()))
        .layer(BreakerLayer::default())
        .layer(TimeoutLayer::new(LIMIT))
        .service(PENDING)
}

fn peers() -> impl Service<u64, Error: Into<Fault>> + Clone {
    ServiceBuilder::new()
        .layer(tower::retry::RetryLayer::new(ThriceBudgeted::default()))
        .layer_fn(|inner| Reclosed::new(inner, AsyncRecloser::from(Recloser::default())))
        .layer(tower::timeout::TimeoutLayer::new(LIMIT))
        .service(PENDING)
}

const SIZES: [u32; 5] = [1, 10, 100, 1_000, 10_000];
const PENDING: Apart = Apart(Nothing { pending: true });
const LIMIT: Duration = Duration::from_secs(20);
