//! A bulk job through a storm, with and without an outage in it, on the paused clock.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use tokio::{
    task::JoinSet,
    time::{self, Instant},
};
use tower::{Layer, Service, ServiceExt, service_fn};
use trysail::{EmbedRequest, Failure, Preset, Verdict};
use trysail_testkit::{Plan, faults::Fault};

const SECOND: Duration = Duration::from_secs(1);
const LINES: usize = 146;
const PLACES: u32 = 4;

type Judged = Failure<Response<Bytes>, std::io::Error>;

/// Answers how many texts it was asked for, unless the plan says otherwise.
fn server(plan: Plan) -> impl Service<EmbedRequest, Response = usize, Error = Judged, Future: Send> + Clone + Send {
    let (began, requests) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    service_fn(move |request: EmbedRequest| {
        let (plan, ordinal) = (plan.clone(), requests.fetch_add(1, Relaxed));
        async move {
            time::sleep(SECOND / 1_000).await;
            let failed = |verdict| Judged::unanswered(verdict, std::io::ErrorKind::ConnectionReset.into());
            if plan.is_down(began.elapsed()) {
                return Err(failed(Verdict::TRANSIENT));
            }
            match plan.fault(ordinal) {
                Some(Fault::Hang | Fault::Stall) => pending().await,
                Some(Fault::RateLimit(hint)) => Err(failed(Verdict::THROTTLED.after(hint))),
                Some(Fault::RateLimitBare) => Err(failed(Verdict::THROTTLED)),
                Some(Fault::Slow(takes)) => {
                    time::sleep(takes).await;
                    Ok(request.len())
                }
                Some(Fault::Truncated | Fault::WrongCount | Fault::Nan | Fault::Duplicate | Fault::Empty) => {
                    Err(failed(Verdict::MALFORMED))
                }
                Some(Fault::Drip(_) | Fault::Shuffled) | None => Ok(request.len()),
                Some(_) => Err(failed(Verdict::TRANSIENT)),
            }
        }
    })
}

/// How long a job takes whose places each send one line after the other.
async fn job(faults: &str, seed: u64) -> Duration {
    let plan: Plan = faults.parse().expect("a plan");
    let preset = Preset::bulk().attempt(2 * SECOND).concurrency(PLACES).seed(seed);
    let service = preset.layer(server(plan.seeded(seed)));
    let (began, next) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut places = JoinSet::new();
    for _ in 0..PLACES {
        let (service, next) = (service.clone(), Arc::clone(&next));
        places.spawn(async move {
            while next.fetch_add(1, Relaxed) < LINES as u64 {
                let request = EmbedRequest::new("model", ["a line"]);
                assert_eq!(service.clone().oneshot(request).await.expect("every line is answered"), 1);
            }
        });
    }
    places.join_all().await;
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_bulk_job_loses_little_more_than_an_outage_takes() {
    let mut lost = Vec::new();
    for seed in 1..=20 {
        let (calm, outage) = (job("storm", seed).await, job("storm,down:4s@2s", seed).await);
        let ratio = outage.as_secs_f64() / (calm + 4 * SECOND).as_secs_f64();
        println!("seed {seed}: {calm:?} without the outage, {outage:?} with it: {ratio:.2}");
        lost.push(ratio);
    }
    lost.sort_by(f64::total_cmp);
    let (median, worst) = ((lost[9] + lost[10]) / 2.0, lost[19]);
    println!("median {median:.2}, worst {worst:.2}");
    // What one place is refused as too much, all of them wait out.
    assert!(median <= 1.25 && worst <= 1.8);
}
