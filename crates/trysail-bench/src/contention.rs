use std::{sync::Barrier, thread};

use tokio::time::Instant;

use crate::{
    case::{Answer, Case, Stacked},
    drive,
    table::Table,
};

/// Nanoseconds a call takes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Nanoseconds {
    pub(crate) alone: f64,
    /// In each of two threads, with clones of the same service.
    pub(crate) shared: f64,
}

/// The medians of rounds in which all take turns, so that what disturbs the machine disturbs all alike.
pub(crate) fn medians(stacks: &[Stacked]) -> Vec<Nanoseconds> {
    let mut times = vec![(Vec::new(), Vec::new()); stacks.len()];
    for _ in 0..ROUNDS {
        for (stack, (alone, shared)) in stacks.iter().zip(&mut times) {
            alone.push(nanoseconds(stack, 1));
            shared.push(nanoseconds(stack, 2));
        }
    }
    times.into_iter().map(|(alone, shared)| Nanoseconds { alone: median(alone), shared: median(shared) }).collect()
}

/// What two threads cost each other.
pub(crate) fn table(cases: &[Case]) -> Table {
    let stacks: Vec<_> = cases.iter().flat_map(|case| Answer::ALL.map(case.make)).collect();
    let about = format!(
        "Nanoseconds a call, around a service that is ready at once and one that is pending once: one thread, and each \
         of two that share the state. Medians of {ROUNDS} rounds."
    );
    let columns = ["case", "ready", "ready, 2 threads", "pending", "pending, 2 threads"];
    let mut table = Table::new("Contention", &about, &columns);
    for (case, times) in cases.iter().zip(medians(&stacks).chunks(2)) {
        let times = times.iter().flat_map(|time| [time.alone, time.shared]).map(|time| format!("{time:.1}"));
        table.rows.push(std::iter::once(case.name.to_owned()).chain(times).collect());
    }
    table
}

/// What a call takes in the slowest of so many threads.
fn nanoseconds(stack: &Stacked, threads: usize) -> f64 {
    let start = Barrier::new(threads);
    let time = || {
        drive::on_a_clock(|| {
            start.wait();
            let began = Instant::now();
            (stack.calls)(CALLS);
            began.elapsed()
        })
    };
    let slowest = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(time)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no case panics")).max()
    });
    slowest.unwrap_or_default().as_nanos() as f64 / CALLS as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

const CALLS: u64 = 100_000;
/// An odd number, so that one is in the middle.
pub(crate) const ROUNDS: usize = 15;
