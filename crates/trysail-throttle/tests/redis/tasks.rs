//! Who asks the store, in whose runtime, and what the others hear.

use std::{future::ready, time::Duration};

use tokio::{
    runtime::{self, Handle},
    time::{Instant, sleep, timeout},
};
use tower::{BoxError, Layer, ServiceExt, service_fn};
use trysail_core::{Held, Hold, Verdict};
use trysail_throttle::{Pace, PaceSettings, Rate, Store, ThrottleLayer, redis::RedisStore};

use crate::{
    away::{call, until},
    server::Server,
};

const MS: Duration = Duration::from_millis(1);

fn pace(server: &Server, settings: impl Into<PaceSettings>) -> Pace {
    RedisStore::open(&server.url()).expect("an URL").pace("a", settings)
}

#[tokio::test]
async fn the_task_of_a_pace_ends_with_it() {
    let Some(server) = Server::start(&[]).await else { return };
    let before = Handle::current().metrics().num_alive_tasks();
    let pace = pace(&server, Rate::per_second(100));
    call(&pace).await.expect("no call fails");
    until(&pace, Store::Shared).await;
    assert!(Handle::current().metrics().num_alive_tasks() > before);
    drop(pace);
    let ended = async {
        while Handle::current().metrics().num_alive_tasks() > before {
            sleep(5 * MS).await;
        }
    };
    timeout(Duration::from_secs(5), ended).await.expect("nothing is left of it");
    let replicas =
        || -> Vec<String> { redis::cmd("KEYS").arg("*:replicas").query(&mut server.look()).expect("it is up") };
    assert!(replicas().is_empty(), "it has said that it leaves");
}

#[test]
fn a_pace_outlives_the_runtime_in_which_it_was_called_first() {
    let runtime =
        |threads| runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("one");
    let first = runtime(1);
    let Some(server) = first.block_on(Server::start(&[])) else { return };
    // Made outside of all.
    let pace = pace(&server, Rate::per_second(100));
    first.block_on(async {
        call(&pace).await.expect("no call fails");
        until(&pace, Store::Shared).await;
    });
    first.shutdown_timeout(Duration::from_secs(5));
    let second = runtime(2);
    second.block_on(async {
        for _ in 0..100 {
            timeout(Duration::from_secs(5), call(&pace)).await.expect("no call hangs").expect("no call fails");
        }
        let took = until(&pace, Store::Shared).await;
        assert!(took < Duration::from_secs(2), "{took:?}");
    });
}

#[test]
fn a_runtime_that_stands_still_holds_no_call_of_another() {
    let runtime = || runtime::Builder::new_current_thread().enable_all().build().expect("one");
    let (first, second) = (runtime(), runtime());
    let Some(server) = first.block_on(Server::start(&[])) else { return };
    let pace = pace(&server, Rate::per_second(100));
    first.block_on(until(&pace, Store::Shared));
    // It is there, and nobody runs it.
    second.block_on(async {
        for _ in 0..50 {
            timeout(Duration::from_secs(3), call(&pace)).await.expect("no call hangs").expect("no call fails");
        }
        until(&pace, Store::Shared).await;
    });
    // Who asked first has nothing more to say.
    first.block_on(async {
        for _ in 0..50 {
            timeout(Duration::from_secs(3), call(&pace)).await.expect("no call hangs").expect("no call fails");
        }
        until(&pace, Store::Shared).await;
    });
}

#[tokio::test]
async fn a_pause_that_one_replica_is_asked_for_holds_the_others() {
    let Some(server) = Server::start(&[]).await else { return };
    // With rates, which are leased, and without.
    for settings in [PaceSettings::from(Rate::per_second(100)), PaceSettings::new()] {
        let (here, there) = (pace(&server, settings), pace(&server, settings));
        for pace in [&here, &there] {
            call(pace).await.expect("no call fails");
            until(pace, Store::Shared).await;
        }
        sleep(300 * MS).await;
        let refuses = service_fn(|()| ready(Err::<(), BoxError>(Verdict::THROTTLED.after(2_000 * MS).into())));
        let begin = Instant::now();
        ThrottleLayer::new(here.clone()).layer(refuses).oneshot(()).await.expect_err("it is throttled");
        sleep(400 * MS).await;
        assert!(there.snapshot().paused().is_some(), "{there:?}");
        assert_eq!(there.snapshot().in_flight(), Some(1), "it comes back slowly");
        let short =
            ThrottleLayer::new(there.clone()).most(100 * MS).layer(service_fn(|()| ready(Ok::<_, BoxError>(()))));
        let error = short.oneshot(()).await.expect_err("it may not wait for so long");
        assert_eq!(error.downcast_ref().map(|held: &Held| held.hold()), Some(Hold::Pause));
        call(&there).await.expect("its turn comes");
        let waited = begin.elapsed();
        assert!((1_950 * MS..2_600 * MS).contains(&waited), "{waited:?}");
        // Who comes later hears of one that was lifted as little.
        here.reset();
    }
}

#[tokio::test]
async fn costs_are_shared_and_what_is_above_the_bucket_goes_into_debt() {
    let Some(server) = Server::start(&[]).await else { return };
    let settings = PaceSettings::new().cost(Rate::per_second(1_000).burst(100));
    let paces = [pace(&server, settings), pace(&server, settings)];
    let begin = Instant::now();
    let calls = paces.iter().flat_map(|pace| {
        (0..10).map(|_| {
            let service = service_fn(|_: u64| ready(Ok::<_, BoxError>(())));
            tokio::spawn(ThrottleLayer::new(pace.clone()).cost(|cost: &u64| *cost).layer(service).oneshot(150))
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic").expect("its turn comes");
    }
    // The last one is there once the others have been refilled.
    let took = begin.elapsed().as_secs_f64();
    assert!((2.7..3.3).contains(&took), "{took}");
}
