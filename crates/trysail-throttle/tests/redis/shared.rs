//! Several processes, one quota.

use std::{env, time::Duration};

use tokio::time::sleep;

use crate::{
    replica::{Job, Line, Replica, between, now},
    server::Server,
};

const MS: Duration = Duration::from_millis(1);

/// For how long is counted; 30 s where `TRYSAIL_REDIS_SECONDS` says so.
///
/// Not in whole leases: of what repeats every tenth of a second, whole ones would hide by how much it varies.
fn seconds() -> f64 {
    env::var("TRYSAIL_REDIS_SECONDS").ok().and_then(|value| value.parse().ok()).unwrap_or(6.0) + 0.037
}

fn all(replicas: &[Replica]) -> Vec<Line> {
    replicas.iter().flat_map(Replica::lines).collect()
}

/// Waits until all of them call, and says from when on that was so.
async fn are_up(replicas: &[Replica]) -> f64 {
    for replica in replicas {
        while replica.lines().is_empty() {
            sleep(10 * MS).await;
        }
    }
    sleep(500 * MS).await;
    now()
}

async fn after(seconds: f64) {
    sleep(Duration::from_secs_f64(seconds + 0.3)).await;
}

fn is_about(sent: usize, expected: f64, percent: f64) -> bool {
    (sent as f64 - expected).abs() <= (expected * percent / 100.0).max(1.0)
}

#[tokio::test]
async fn four_processes_keep_one_quota() {
    let Some(server) = Server::start(&[]).await else { return };
    for rate in [20, 200, 2_000] {
        let job = Job { url: server.url(), rate, burst: rate, callers: 1_000.min(rate as usize), roots: None };
        server.look();
        let replicas = [(); 4].map(|()| job.start(Duration::ZERO));
        let from = are_up(&replicas).await;
        after(seconds()).await;
        let lines = all(&replicas);
        let (sent, expected) = (between(&lines, from, from + seconds()), rate as f64 * seconds());
        println!("{rate} a second: {sent} in {} s, {:+.2} %", seconds(), (sent as f64 / expected - 1.0) * 100.0);
        assert!(is_about(sent, expected, 3.0), "{sent} and not {expected}");
        assert!(!lines.contains(&Line::Failed));
        redis::cmd("FLUSHALL").exec(&mut server.look()).expect("it is up");
    }
}

#[tokio::test]
async fn what_some_replicas_do_not_need_others_use() {
    let Some(server) = Server::start(&[]).await else { return };
    let job = Job { url: server.url(), rate: 200, burst: 20, callers: 50, roots: None };
    // Two want all of it, one a little now and then, one next to nothing.
    let between_calls = [Duration::ZERO, Duration::ZERO, 5_000 * MS, 20_000 * MS];
    let replicas = between_calls.map(|time| job.start(time));
    let from = are_up(&replicas).await;
    after(seconds()).await;
    let lines = all(&replicas);
    let (sent, expected) = (between(&lines, from, from + seconds()), 200.0 * seconds());
    println!("uneven: {sent} in {} s, {:+.2} %", seconds(), (sent as f64 / expected - 1.0) * 100.0);
    assert!(is_about(sent, expected, 3.0), "{sent} and not {expected}");
}

#[tokio::test]
async fn the_share_of_a_replica_that_is_killed_is_used_by_the_others_within_a_second() {
    let Some(server) = Server::start(&[]).await else { return };
    let job = Job { url: server.url(), rate: 400, burst: 40, callers: 200, roots: None };
    let mut replicas = [(); 4].map(|()| job.start(Duration::ZERO));
    are_up(&replicas).await;
    replicas[0].kill();
    let from = now() + 1.0;
    after(4.0).await;
    let sent = between(&all(&replicas[1..]), from, from + 3.0);
    assert!(is_about(sent, 1_200.0, 5.0), "{sent}");
}
