//! A Redis that is not there, or does not answer.

use std::{
    future::ready,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout},
};
use tower::{BoxError, Layer, ServiceExt, service_fn};
use trysail_throttle::{Pace, Rate, Store, ThrottleLayer, redis::RedisStore};

use crate::{
    replica::{Job, Line, Replica, between, now},
    server::Server,
};

const MS: Duration = Duration::from_millis(1);

pub(crate) async fn call(pace: &Pace) -> Result<(), BoxError> {
    let service = service_fn(|()| ready(Ok::<_, BoxError>(())));
    ThrottleLayer::new(pace.clone()).layer(service).oneshot(()).await
}

/// Calls until the pace is kept so, and says how long that took.
pub(crate) async fn until(pace: &Pace, store: Store) -> Duration {
    let begin = Instant::now();
    let kept = async {
        while pace.snapshot().store() != store {
            call(pace).await.expect("no call fails");
            sleep(5 * MS).await;
        }
    };
    timeout(Duration::from_secs(10), kept).await.expect("it comes to that");
    begin.elapsed()
}

fn fast() -> Rate {
    Rate::per_second(1_000).burst(100)
}

/// What events say while `run` runs.
async fn events(run: impl Future<Output = ()>) -> String {
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Said {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (said, writer) = (Said::default(), Said::default());
    let shared = writer.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || shared.clone()).finish();
    let guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    run.await;
    drop((guard, said));
    String::from_utf8(writer.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("it is text")
}

#[tokio::test]
async fn without_redis_calls_pass_at_the_whole_rate_and_it_is_said_once() {
    let address = TcpListener::bind("127.0.0.1:0").await.and_then(|of| of.local_addr()).expect("a free port");
    let said = events(async {
        let pace = RedisStore::open(&format!("redis://:hunter2@{address}")).expect("an URL").pace("a", fast());
        let begin = Instant::now();
        call(&pace).await.expect("no call fails");
        assert!(begin.elapsed() < 500 * MS, "{:?}", begin.elapsed());
        assert_eq!((pace.snapshot().store(), pace.snapshot().replicas()), (Store::Alone, 1));
        sleep(1_200 * MS).await;
        call(&pace).await.expect("no call fails");
    })
    .await;
    assert_eq!(said.matches("pace kept alone").count(), 1, "{said}");
    assert!(said.contains(&address.to_string()) && !said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn a_wrong_password_is_said_and_the_pace_is_kept_alone() {
    let Some(server) = Server::start(&["--requirepass", "hunter2"]).await else { return };
    let said = events(async {
        let pace = RedisStore::open(&server.url_with("hunter3")).expect("an URL").pace("a", fast());
        until(&pace, Store::Alone).await;
        sleep(300 * MS).await;
    })
    .await;
    assert!(said.contains("pace kept alone") && said.to_lowercase().contains("password"), "{said}");
    assert!(!said.contains("hunter"), "{said}");
    let pace = RedisStore::open(&server.url_with("hunter2")).expect("an URL").pace("a", fast());
    call(&pace).await.expect("no call fails");
    until(&pace, Store::Shared).await;
}

#[tokio::test]
async fn a_redis_that_hangs_holds_no_call_and_is_shared_again_within_two_seconds() {
    let Some(server) = Server::start(&[]).await else { return };
    let pace = RedisStore::open(&server.url()).expect("an URL").pace("a", fast());
    call(&pace).await.expect("no call fails");
    until(&pace, Store::Shared).await;
    server.hang();
    let slowest = async {
        let mut slowest = Duration::ZERO;
        while pace.snapshot().store() != Store::Alone {
            let begin = Instant::now();
            call(&pace).await.expect("no call fails");
            slowest = slowest.max(begin.elapsed());
            sleep(MS).await;
        }
        slowest
    };
    let slowest = timeout(Duration::from_secs(5), slowest).await.expect("it is noticed");
    assert!(slowest < 400 * MS, "{slowest:?}");
    sleep(700 * MS).await;
    server.go_on();
    let took = until(&pace, Store::Shared).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn while_redis_is_away_each_replica_keeps_its_share_and_after_that_they_share_again() {
    let Some(mut server) = Server::start(&[]).await else { return };
    let job = Job { url: server.url(), rate: 400, burst: 40, callers: 200, roots: None };
    let replicas = [(); 4].map(|()| job.start(Duration::ZERO));
    for replica in &replicas {
        while replica.lines().is_empty() {
            sleep(10 * MS).await;
        }
    }
    sleep(1_000 * MS).await;
    server.stop();
    let stopped = now();
    sleep(3_000 * MS).await;
    server.start_again().await;
    let started = now();
    sleep(5_300 * MS).await;
    let each: Vec<_> = replicas.iter().map(Replica::lines).collect();
    let lines = each.concat();
    assert!(!lines.contains(&Line::Failed), "no call fails");
    // A share may be kept as a burst once, as that of the whole rate may.
    let away = between(&lines, stopped + 0.5, stopped + 2.5);
    println!("away: {away} in 2 s of 800");
    assert!((600..=840).contains(&away), "{away}");
    for lines in &each {
        let share = between(lines, stopped + 0.5, stopped + 2.5);
        assert!((150..=250).contains(&share), "{share}");
    }
    let again = between(&lines, started + 2.0, started + 5.0);
    println!("again: {again} in 3 s of 1200");
    assert!((1_150..=1_240).contains(&again), "{again}");
}
