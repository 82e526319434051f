//! The script alone, whatever it is asked: what is granted in total is never more than the rate and the bucket.

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use redis::{Connection, Script};

use crate::server::Server;

const DEPTH: f64 = 20_000.0;
const ONE: f64 = 1_000.0;

#[derive(Clone, Copy, Debug)]
struct Visit {
    replica: u8,
    take: i64,
    sent: u64,
}

fn visit() -> impl Strategy<Value = Visit> {
    let take = prop_oneof![3 => 0..5_000_i64, 1 => -5_000..0_i64, 1 => 20_000..40_000_i64];
    (0..4_u8, take, prop_oneof![5 => Just(0), 1 => 0..50_000_u64]).prop_map(|(replica, take, sent)| Visit {
        replica,
        take,
        sent,
    })
}

/// In microseconds of the server's clock, before the visit.
fn time(redis: &mut Connection) -> f64 {
    let (seconds, micros): (f64, f64) = redis::cmd("TIME").query(redis).expect("it is up");
    seconds * 1e6 + micros
}

fn plays(visits: Vec<Visit>, redis: &mut Connection, script: &Script) -> Result<(), TestCaseError> {
    redis::cmd("FLUSHALL").exec(redis).expect("it is up");
    let begin = time(redis);
    let (mut held, mut granted, mut replicas) = (0, 0.0, Vec::new());
    for Visit { replica, take, sent } in visits {
        // Nobody gives back what he has not got.
        let take = take.max(-held);
        held += take;
        let mut call = script.key("{a}:pace");
        call.key("{a}:replicas").arg(replica).arg(1e6).arg(0).arg(DEPTH).arg(ONE).arg(sent).arg(0).arg(take);
        let (counted, paused, wait, spare, _): (usize, i64, f64, f64, i64) =
            call.arg(&[0, 0, 0, 0, 0]).invoke(redis).expect("it is up");
        let now = time(redis);
        granted += take as f64;
        replicas.push(replica);
        replicas.sort_unstable();
        replicas.dedup();
        prop_assert_eq!((counted, paused), (replicas.len(), 0));
        if take > 0 {
            // One that is above the bucket goes from a full one, and the next ones wait until that is paid.
            let bucket = DEPTH.max(take as f64);
            let refilled = now + wait - begin;
            prop_assert!(granted <= bucket + refilled + 2.0, "{} with {} and {}", granted, bucket, refilled);
        }
        prop_assert!(spare <= DEPTH);
    }
    Ok(())
}

#[tokio::test]
async fn no_more_is_granted_than_there_is() {
    let Some(server) = Server::start(&[]).await else { return };
    let (mut redis, script) = (server.look(), Script::new(include_str!("../../src/redis/lease.lua")));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(64));
    let redis = std::cell::RefCell::new(&mut redis);
    runner
        .run(&vec(visit(), 1..60), |visits| plays(visits, &mut redis.borrow_mut(), &script))
        .unwrap_or_else(|error| panic!("{error}"));
}

/// What it gave out and took back is there again, and nothing else.
#[tokio::test]
async fn what_is_given_back_is_there_again() {
    let Some(server) = Server::start(&[]).await else { return };
    let (mut redis, script) = (server.look(), Script::new(include_str!("../../src/redis/lease.lua")));
    let mut take = |units: i64| -> i64 {
        let mut call = script.key("{a}:pace");
        // So slow that the time of a test brings nothing.
        call.key("{a}:replicas").arg("r").arg(1e6).arg(0).arg(1e12).arg(1e9).arg(0).arg(0).arg(units * 1_000_000_000);
        let reply: [i64; 5] = call.arg(&[0, 0, 0, 0, 0]).invoke(&mut redis).expect("it is up");
        reply[3] / 1_000_000
    };
    assert_eq!(take(0), 1_000, "of one that nothing is known of there is one");
    assert_eq!(take(1), 0);
    assert_eq!(take(5), 0);
    assert_eq!(take(-5), 0);
    assert_eq!(take(-1), 1_000);
    assert_eq!(take(-10), 11_000);
}
