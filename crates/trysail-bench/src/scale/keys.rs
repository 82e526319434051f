use std::mem;

use tower::Layer;
use trysail::{BreakerLayer, Circuit, Circuits, Trip};

use crate::{
    callgrind::Counted,
    nothing::Nothing,
    scale::{Apart, bytes, calls, costs},
    table::Table,
};

/// A circuit without a key, then as many keys as there is room for, and at last twice as many.
pub(super) const CALLS: &[Counted] = &[
    Counted { name: "one circuit, no keys", run: |n| calls(BreakerLayer::new(circuit()).layer(READY), n) },
    Counted { name: "1 key", run: |n| keyed(1, 1, n) },
    Counted { name: "10 keys", run: |n| keyed(10, 10, n) },
    Counted { name: "100 keys", run: |n| keyed(100, 100, n) },
    Counted { name: "1000 keys", run: |n| keyed(1_000, 1_000, n) },
    Counted { name: "10000 keys", run: |n| keyed(10_000, 10_000, n) },
    Counted { name: "100 keys, room for 50", run: |n| keyed(100, 50, n) },
    Counted { name: "10000 keys, room for 5000", run: |n| keyed(10_000, 5_000, n) },
];

/// As many keys as are asked for, each of them known.
pub(super) const HELD: &[Counted] = &[Counted {
    name: "keys, held",
    run: |keys| {
        let circuits = Circuits::new(keys as usize, circuit as fn() -> Circuit);
        (0..keys).for_each(|key| _ = circuits.get(&key));
        mem::forget(circuits);
    },
}];

pub(super) fn table() -> Result<Table, String> {
    let about = "A breaker with the default trip around a service that is ready at once, a circuit for each key, the \
                 keys (64-bit numbers) in turn. Nanoseconds and instructions a call, and bytes of the heap for each \
                 key, its circuit and its share of the map. Where there is room for half of the keys, every call \
                 needs a new circuit, and some search for those to go.";
    let mut table = Table::new("Scale: keys of circuits", about, &["keys", "ns", "instructions", "bytes"]);
    for (case, cost) in CALLS.iter().zip(costs(CALLS)?) {
        let keys = SIZES.iter().find(|(name, _)| *name == case.name);
        let bytes = keys.map_or(Ok("–".to_owned()), |(_, keys)| bytes(&HELD[0], *keys))?;
        table.rows.push([vec![case.name.to_owned()], cost.to_vec(), vec![bytes]].concat());
    }
    Ok(table)
}

fn keyed(keys: u64, room: usize, n: u64) {
    let circuits = Circuits::new(room, circuit as fn() -> Circuit);
    let keyed = circuits.keyed(move |value: &u64| value % keys);
    calls(BreakerLayer::new(keyed).layer(READY), n);
}

fn circuit() -> Circuit {
    Circuit::new(Trip::default())
}

const SIZES: [(&str, u32); 5] =
    [("1 key", 1), ("10 keys", 10), ("100 keys", 100), ("1000 keys", 1_000), ("10000 keys", 10_000)];
const READY: Apart = Apart(Nothing { pending: false });
