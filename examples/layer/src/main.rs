//! A retry, a circuit breaker and a time limit around a service of one's own, which is not HTTP.

use std::{
    error::Error,
    io::{self, ErrorKind},
    sync::Arc,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::sleep;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use trysail::{Adjustable, prelude::*, retry::Jitter};

/// What is asked; a retry needs a copy of it.
#[derive(Clone, Debug)]
struct Depth(&'static str);

/// The judge: what of the service's errors may pass, and what will not.
fn judge(outcome: Result<&u32, &io::Error>) -> Verdict {
    match outcome {
        Ok(_) => Verdict::SUCCESS,
        Err(error) if error.kind() == ErrorKind::NotFound => Verdict::PERMANENT,
        Err(_) => Verdict::TRANSIENT,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let sounding = service_fn(move |Depth(place): Depth| {
        let times = count.fetch_add(1, Relaxed);
        async move {
            match place {
                "harbour" if times == 0 => Err(io::Error::from(ErrorKind::ConnectionReset)),
                "harbour" => Ok(12),
                "atlantis" => Err(io::Error::new(ErrorKind::NotFound, "no such place")),
                _ => Err(io::Error::from(ErrorKind::TimedOut)),
            }
        }
    });

    let limit = Adjustable::new(Duration::from_secs(1));
    let circuit = Circuit::new(Trip::consecutive(5));
    let soundings = ServiceBuilder::new()
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(20)).jitter(Jitter::Equal)))
        .layer(BreakerLayer::new(circuit.clone()))
        .layer(TimeoutLayer::new(limit))
        .layer(ClassifyLayer::new(judge))
        .service(sounding)
        .checked::<Depth>();

    for place in ["harbour", "atlantis", "abyss", "abyss", "abyss"] {
        let before = asked.load(Relaxed);
        let outcome = soundings.clone().oneshot(Depth(place)).await;
        let times = asked.load(Relaxed) - before;
        match outcome {
            Ok(fathoms) => println!("{place}: {fathoms} fathoms (asked {times} times)"),
            Err(error) => println!("{place}: {error} (asked {times} times)"),
        }
        sleep(Duration::from_millis(10)).await;
    }
    println!("the circuit is {:?}", circuit.state());
    Ok(())
}
