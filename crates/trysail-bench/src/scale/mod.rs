//! How the cost of a call, and the memory behind it, change as work grows.

mod flight;
mod keys;
mod windows;

use std::task::{Context, Poll};

use tower::Service;

use crate::{
    callgrind::{self, Counted},
    drive,
    fault::Fault,
    heap, interleave,
    nothing::{Nothing, Soon},
    table::Table,
};

/// A service that does nothing, of a type that is used here alone.
///
/// What is around it is compiled apart then: code with one caller more is code that other benches find less inlined.
#[derive(Clone)]
struct Apart(Nothing);

impl Service<u64> for Apart {
    type Response = u64;
    type Error = Fault;
    type Future = Soon;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, value: u64) -> Soon {
        self.0.call(value)
    }
}

/// What valgrind counts.
pub(crate) fn cases() -> impl Iterator<Item = &'static Counted> {
    [flight::CALLS, flight::HELD, keys::CALLS, keys::HELD, windows::CALLS, windows::HELD].into_iter().flatten()
}

/// So many calls of a service that is asked for numbers.
fn calls(service: impl Service<u64, Error = Fault>, calls: u64) {
    drive::calls(service, |value| value, calls);
}

/// Calls in flight, keys of circuits, and lengths of windows.
pub(crate) fn tables() -> Result<Vec<Table>, String> {
    Ok(vec![flight::table()?, keys::table()?, windows::table()?])
}

/// Nanoseconds and instructions of one call of each case.
fn costs(cases: &[Counted]) -> Result<Vec<[String; 2]>, String> {
    let mut runs: Vec<Box<dyn FnMut()>> =
        cases.iter().map(|case| Box::new(|| drive::on_a_clock(|| (case.run)(TIMED))) as _).collect();
    let seconds = interleave::seconds(ROUNDS, &mut runs);
    let cost = |(case, seconds): (&Counted, f64)| {
        let instructions = callgrind::per_call(case.name, COUNTED)?.instructions;
        Ok([seconds * 1e9 / TIMED as f64, instructions].map(|figure| format!("{figure:.0}")))
    };
    cases.iter().zip(seconds).map(cost).collect()
}

/// Bytes of one of so many things.
fn bytes(case: &Counted, things: u32) -> Result<String, String> {
    heap::bytes_per_thing(case.name, things).map(|bytes| bytes.to_string())
}

/// A multiple of whatever is grown to.
const COUNTED: u32 = 10_000;
const TIMED: u64 = 100_000;
const ROUNDS: usize = 9;
