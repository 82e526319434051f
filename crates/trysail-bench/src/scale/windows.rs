use std::{future::ready, mem, time::Duration};

use tower::{Layer, service_fn};
use trysail::{BreakerLayer, Circuit, Trip};

use crate::{
    callgrind::Counted,
    fault::Fault,
    heap,
    scale::{bytes, calls, costs},
    table::Table,
};

macro_rules! windows {
    ($($name:literal => $trip:expr;)*) => {
        const NAMES: &[&str] = &[$($name,)*];

        /// For each trip: all calls succeed; every tenth fails.
        pub(super) const CALLS: &[Counted] = &[$(
            Counted { name: concat!($name, ", all succeed"), run: |n| judged(&Circuit::new($trip), n, u64::MAX) },
            Counted { name: concat!($name, ", a tenth fails"), run: |n| judged(&Circuit::new($trip), n, 10) },
        )*];

        /// For each trip: as many circuits as are asked for; one, after so many calls.
        pub(super) const HELD: &[Counted] = &[$(
            Counted {
                name: concat!($name, ", held"),
                run: |n| mem::forget((0..n).map(|_| Circuit::new($trip)).collect::<Vec<_>>()),
            },
            Counted {
                name: concat!($name, ", used"),
                run: |n| {
                    let circuit = Circuit::new($trip);
                    judged(&circuit, n, 10);
                    mem::forget(circuit);
                },
            },
        )*];
    };
}

windows! {
    "5 in a row, no window" => Trip::consecutive(5);
    "the default" => Trip::default();
    "the last 10 calls" => Trip::rate(0.5).last(10);
    "the last 100 calls" => Trip::rate(0.5).last(100);
    "the last 1000 calls" => Trip::rate(0.5).last(1_000);
    "the last 10000 calls" => Trip::rate(0.5).last(10_000);
    "the last 100000 calls" => Trip::rate(0.5).last(100_000);
    "the last second" => Trip::rate(0.5).within(Duration::from_secs(1));
    "the last 40 s" => Trip::rate(0.5).within(Duration::from_secs(40));
    "the last hour" => Trip::rate(0.5).within(Duration::from_secs(3_600));
    "the last day" => Trip::rate(0.5).within(Duration::from_secs(86_400));
}

pub(super) fn table() -> Result<Table, String> {
    let about = "A breaker around a service that is ready at once, by what it counts. Nanoseconds and instructions a \
                 call, where all succeed and where every tenth fails; bytes of the heap of a fresh circuit, and by \
                 how many that has grown after a million calls of which every tenth failed.";
    let columns =
        ["window", "ns", "instructions", "a tenth fails: ns", "instructions", "bytes", "more after 1 M calls"];
    let mut table = Table::new("Scale: windows of a breaker", about, &columns);
    let costs = costs(CALLS)?;
    for ((name, cost), held) in NAMES.iter().zip(costs.chunks(2)).zip(HELD.chunks(2)) {
        let used = |calls| heap::bytes_in_use(held[1].name, calls);
        let more = used(1_000_000)? - used(0)?;
        let memory = [bytes(&held[0], CIRCUITS)?, more.to_string()];
        table.rows.push([vec![(*name).to_owned()], cost.concat(), memory.to_vec()].concat());
    }
    Ok(table)
}

fn judged(circuit: &Circuit, n: u64, fails: u64) {
    let service = service_fn(move |value: u64| {
        ready(if value % fails == fails - 1 { Err(Fault::Status(503)) } else { Ok(value) })
    });
    calls(BreakerLayer::new(circuit.clone()).layer(service), n);
}

const CIRCUITS: u32 = 100;
