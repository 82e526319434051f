use std::{collections::BTreeSet, fs, path::Path, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use trysail::{
    Class,
    record::{Exchange, Stage},
};

use crate::support::{assert_right, run, sentences, server};

/// Every third request fails, in ten ways; every tenth answer is only out of order.
const STORM: &str =
    "503:5,500:3,hang:2,reset:4,reset-body:3,truncated:3,wrong-count:2,duplicate:2,nan:2,429:4,shuffled:10";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_costs_time_and_requests_but_no_line() {
    let texts = Arc::new(sentences(400));
    let several = Arc::new(Semaphore::new(5));
    let mut runs = JoinSet::new();
    for seed in 0..20 {
        let (texts, several) = (Arc::clone(&texts), Arc::clone(&several));
        runs.spawn(async move {
            let _permit = several.acquire().await.unwrap();
            let plan = STORM.parse::<trysail_testkit::Plan>().unwrap().seeded(seed);
            let server = trysail_testkit::EmbeddingServer::new().faults(plan).bind().await.unwrap();
            let patience = ["--attempt-timeout", "1s", "--deadline", "30s", "--batch", "8", "--concurrency", "4"];
            let run = run(&server.url(), &patience, texts.join("\n")).await;
            assert_eq!(run.code, Some(0), "seed {seed}: {}", run.stderr);
            assert_right(&run.rows(), &texts);
            let stats = server.stats();
            assert!(stats.inputs as f64 <= 1.8 * texts.len() as f64, "seed {seed}: {stats:?}");
            stats.faults
        });
    }
    let mut faults = BTreeSet::new();
    while let Some(run) = runs.join_next().await {
        faults.extend(run.unwrap().into_keys());
    }
    assert_eq!(faults.len(), STORM.split(',').count(), "{faults:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_waited_out() {
    let texts = sentences(64);
    let server = server("down:2s@0s").await;
    let started = Instant::now();
    let run = run(&server.url(), &["--batch", "2", "--concurrency", "16"], texts.join("\n")).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_right(&run.rows(), &texts);
    assert!(started.elapsed() > Duration::from_secs(1), "the server was down for longer");
    assert!(run.stderr.contains("circuit   opened 1×"), "{}", run.stderr);
    // Sixteen batches that ask again and again for two seconds would be many more.
    assert!(server.stats().faults["down"] < 60, "{:?}", server.stats());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_batch_and_every_attempt_is_recorded_if_asked_for() {
    let server = server("503:30").await;
    let trace = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("trace-{}", std::process::id()));
    let path = trace.to_str().unwrap();
    let run = run(&server.url(), &["--batch", "1", "--record", path], sentences(40).join("\n")).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let kept = fs::read_to_string(&trace).unwrap();
    fs::remove_file(&trace).unwrap();
    let exchanges: Vec<_> = kept.lines().map(|line| line.parse::<Exchange>().unwrap()).collect();
    let of = |stage| exchanges.iter().filter(move |exchange| exchange.stage() == stage);
    assert_eq!(of(Stage::Call).count(), 40);
    assert!(of(Stage::Call).all(|call| call.class() == Some(Class::Success) && call.key() == "potion-base-2M"));
    // A request that is sent first to find out whether the server is there is no attempt of its own.
    let (attempts, requests) = (of(Stage::Attempt).count() as u64, server.stats().requests);
    assert!((attempts..=attempts + attempts / 4).contains(&requests), "{attempts} attempts, {requests} requests");
    let failed = of(Stage::Attempt).filter(|attempt| attempt.class() == Some(Class::Transient)).count() as u64;
    assert!((1..=server.stats().faults["503"]).contains(&failed), "{failed}, {:?}", server.stats());
}
