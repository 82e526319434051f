//! What is kept in Redis.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use tokio::time::sleep;
use trysail_core::{Registry, Select};
use trysail_throttle::{Pace, Paces, Rate, Store, redis::RedisStore};

use crate::{
    away::{call, until},
    server::Server,
};

const MS: Duration = Duration::from_millis(1);

fn keys(server: &Server) -> Vec<String> {
    redis::cmd("KEYS").arg("*").query(&mut server.look()).expect("it is up")
}

fn expires(server: &Server, key: &str) -> i64 {
    redis::cmd("PTTL").arg(key).query(&mut server.look()).expect("it is up")
}

#[tokio::test]
async fn no_credential_is_to_be_seen_and_no_key_stays() {
    let Some(server) = Server::start(&[]).await else { return };
    let mut watch = TcpStream::connect(("127.0.0.1", server.port())).expect("it is up");
    watch.write_all(b"MONITOR\r\n").expect("it reads");
    watch.set_read_timeout(Some(500 * MS)).expect("a limit");

    let store = RedisStore::open(&server.url()).expect("an URL").namespace("app").secret("s3cret");
    let paces = Paces::new(10, store.paces(Rate::per_minute(60)));
    let keyed = paces.keyed(|key: &(&'static str, &'static str)| *key);
    let pace = keyed.select(&("https://a.example", "sk-hunter2")).expect("there is one");
    for _ in 0..2 {
        call(&pace).await.expect("no call fails");
    }
    until(&pace, Store::Shared).await;
    drop(pace);
    let keys = keys(&server);
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in &keys {
        assert!(key.starts_with("app:{"), "{key}");
        let expires = expires(&server, key);
        assert!((1..=100_000).contains(&expires), "{key} expires in {expires} ms");
    }
    let mut seen = String::new();
    let mut lines = BufReader::new(watch);
    while lines.read_line(&mut seen).is_ok_and(|read| read > 0) && seen.len() < 100_000 {}
    assert!(seen.to_lowercase().contains("evalsha"), "{seen}");
    for secret in ["hunter2", "a.example", "s3cret"] {
        assert!(!seen.contains(secret) && !keys.concat().contains(secret), "{secret} in {seen}");
    }
}

#[tokio::test]
async fn paces_of_one_key_are_shared_and_of_others_not() {
    let Some(server) = Server::start(&[]).await else { return };
    // As two processes would.
    let paces = || -> Registry<_, Pace, _> {
        Paces::new(10, RedisStore::open(&server.url()).expect("an URL").paces(Rate::per_second(500)))
    };
    let (here, there) = (paces(), paces());
    let all = [here.get(&"one"), there.get(&"one"), there.get(&"two")];
    for _ in 0..2 {
        for pace in &all {
            call(pace).await.expect("no call fails");
        }
        sleep(400 * MS).await;
    }
    assert_eq!(all.map(|pace| pace.snapshot().replicas()), [2, 2, 1]);
}

#[tokio::test]
async fn one_node_of_a_cluster_takes_the_script() {
    let Some(server) = Server::start(&["--cluster-enabled", "yes"]).await else { return };
    let mut look = server.look();
    redis::cmd("CLUSTER").arg(&["ADDSLOTSRANGE", "0", "16383"]).exec(&mut look).expect("it has none yet");
    let info = || redis::cmd("CLUSTER").arg("INFO").query::<String>(&mut server.look()).expect("it is up");
    while !info().contains("cluster_state:ok") {
        sleep(50 * MS).await;
    }
    let pace = RedisStore::open(&server.url()).expect("an URL").pace("a", Rate::per_second(100));
    call(&pace).await.expect("no call fails");
    until(&pace, Store::Shared).await;
    assert_eq!(keys(&server).len(), 2);
}
