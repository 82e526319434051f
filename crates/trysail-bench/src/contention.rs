use std::{thread, time::Duration};

use recloser::{AsyncRecloser, Recloser};
use tokio::time::Instant;
use tower::{Layer, Service};
use trysail::{Backoff, BreakerLayer, Budget, Circuit, RetryLayer, TimeoutLayer, Trip};

use crate::{
    drive::{self, Nothing, calls},
    peers::{Reclosed, Thrice},
};

/// Nanoseconds a call, of one thread and of two that share the state of the layer; medians of interleaved runs.
pub(crate) fn table() {
    println!("nanoseconds a call, around a service that is ready at once: one thread, and two that share the state");
    let rows: Vec<(&str, Run)> =
        vec![
            ("tower retry, budget", timed(tower::retry::RetryLayer::new(Thrice::budgeted()).layer(READY))),
            ("trysail retry, budget", timed(retry().budget(Budget::default()).layer(READY))),
            ("recloser", timed(Reclosed::new(READY, AsyncRecloser::from(Recloser::default())))),
            ("trysail breaker, streak", timed(breaker(Trip::consecutive(5)).layer(READY))),
            ("trysail breaker, default", timed(breaker(Trip::default()).layer(READY))),
            ("trysail breaker, open", timed(open().layer(READY))),
            (
                "trysail, stacked, budget",
                timed(retry().budget(Budget::default()).layer(
                    breaker(Trip::consecutive(5)).layer(TimeoutLayer::new(Duration::from_secs(20)).layer(READY)),
                )),
            ),
        ];
    for (name, run) in &rows {
        let median = |threads| {
            let mut times: Vec<f64> = (0..RUNS).map(|_| run(threads)).collect();
            times.sort_by(f64::total_cmp);
            times[RUNS / 2]
        };
        println!("{name:<28} {:>7.1} {:>7.1}", median(1), median(2));
    }
}

/// Nanoseconds a call of so many threads.
type Run = Box<dyn Fn(usize) -> f64>;

fn timed<S>(service: S) -> Run
where
    S: Service<u64, Response = u64> + Clone + Send + Sync + 'static,
{
    Box::new(move |threads| {
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                let service = service.clone();
                scope.spawn(move || drive::on_a_clock(|| calls(service, CALLS)));
            }
        });
        began.elapsed().as_nanos() as f64 / CALLS as f64
    })
}

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(Duration::from_millis(100)))
}

fn breaker(trip: Trip) -> BreakerLayer {
    BreakerLayer::new(Circuit::new(trip))
}

/// Refuses every call, for as long as the bench runs.
pub(crate) fn open() -> BreakerLayer {
    let hour = Duration::from_secs(3_600);
    let circuit = Circuit::new(Trip::consecutive(1)).open_time(hour, hour);
    drive::on_a_clock(|| drive::fail_once(BreakerLayer::new(circuit.clone())));
    BreakerLayer::new(circuit)
}

const READY: Nothing = Nothing { pending: false };
const CALLS: u64 = 1_000_000;
const RUNS: usize = 7;
