//! Processes that share the pace of one account through Redis, where there is one.

mod server;

use std::{collections::BTreeSet, time::Duration};

use tokio::{
    join,
    time::{Instant, sleep},
};

use self::server::{Server, free_port};
use crate::{
    pace::{Account, lock, served, summary},
    support::{Run, embed, finish, sentences},
};

const KEY: &str = "sk-hunter2";

/// A line in each request, eight of them at once.
async fn run(url: &str, redis: &str, lines: usize, args: &[&str]) -> Run {
    let mut command = embed(&["--url", url, "--redis", redis, "--batch", "1", "--concurrency", "8"]);
    command.args(args).env("OPENAI_API_KEY", KEY);
    finish(command, sentences(lines).join("\n")).await
}

/// What each pace is called that a command was about.
fn paces(told: &str) -> BTreeSet<&str> {
    told.split('"').filter(|word| word.starts_with("trysail:") && word.ends_with(":pace")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_keep_together_to_the_rate_that_is_set_and_redis_sees_no_credential() {
    let Some(redis) = Server::start().await else { return };
    let (url, account) = served(Account::new(2_400.0)).await;
    let (watch, address, began) = (redis.watch(), redis.url(), Instant::now());
    let (one, other) =
        join!(run(&url, &address, 120, &["--rpm", "2400", "--json"]), run(&url, &address, 120, &["--rpm", "2400"]));
    let took = began.elapsed();
    assert_eq!((one.code, other.code), (Some(0), Some(0)), "{}{}", one.stderr, other.stderr);
    let Account { answered, throttled, .. } = *lock(&account);
    println!("{answered} answered in {took:?}, {throttled} refused");
    // All but what a second brings come at 40 a second.
    assert!(answered == 240 && throttled <= 4, "{throttled} refused");
    assert!(took >= Duration::from_millis(4_500), "it took {took:?}");
    let pace = &summary(&one)["pace"];
    assert_eq!((&pace["store"], &pace["replicas"]), (&"shared".into(), &2.into()));
    assert!(other.stderr.contains("2400 requests a minute, as set"), "{}", other.stderr);
    assert!(other.stderr.contains("; shared by 2 through Redis"), "{}", other.stderr);

    let told = Server::told(watch);
    assert_eq!(paces(&told).len(), 1, "{:?}", paces(&told));
    for secret in ["hunter2", "http://", "text-embedding"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_learn_one_rate_from_the_answers() {
    let Some(redis) = Server::start().await else { return };
    let (url, account) = served(Account::named(2_400.0)).await;
    let redis = redis.url();
    let (one, other) = join!(run(&url, &redis, 120, &["--json"]), run(&url, &redis, 120, &["--json"]));
    assert_eq!((one.code, other.code), (Some(0), Some(0)), "{}{}", one.stderr, other.stderr);
    let Account { answered, throttled, .. } = *lock(&account);
    assert_eq!((answered, throttled), (240, 0));
    for run in [one, other] {
        let pace = &summary(&run)["pace"];
        assert_eq!((&pace["learnt_requests_per_minute"], &pace["replicas"]), (&2_400.0.into(), &2.into()), "{pace}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_models_have_paces_of_their_own() {
    let Some(redis) = Server::start().await else { return };
    let (url, _) = served(Account::new(60_000.0)).await;
    let (watch, redis) = (redis.watch(), redis.url());
    let (one, other) = join!(
        run(&url, &redis, 5, &["--model", "one", "--rpm", "60000"]),
        run(&url, &redis, 5, &["--model", "two", "--rpm", "60000"])
    );
    for run in [one, other] {
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains("; shared through Redis with nobody else\n"), "{}", run.stderr);
    }
    let told = Server::told(watch);
    assert_eq!(paces(&told).len(), 2, "{:?}", paces(&told));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_the_job_goes_on_alone_and_says_so_once() {
    let redis = format!("redis://:hunter2@127.0.0.1:{}", free_port());
    let (url, account) = served(Account::new(2_400.0)).await;
    let run = run(&url, &redis, 100, &["--rpm", "2400"]).await;
    assert_eq!((run.code, lock(&account).answered), (Some(0), 100), "{}", run.stderr);
    assert_eq!(run.stderr.matches("pace kept alone").count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("; kept alone, since Redis was away\n"), "{}", run.stderr);
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_goes_away_ends_no_job() {
    let Some(mut redis) = Server::start().await else { return };
    let (url, account) = served(Account::new(2_400.0)).await;
    let address = redis.url();
    let stopped = async {
        while lock(&account).answered < 20 {
            sleep(Duration::from_millis(10)).await;
        }
        redis.stop();
    };
    let (run, ()) = join!(run(&url, &address, 120, &["--rpm", "2400", "--json"]), stopped);
    assert_eq!((run.code, lock(&account).answered), (Some(0), 120), "{}", run.stderr);
    assert_eq!(run.stderr.matches("pace kept alone").count(), 1, "{}", run.stderr);
    let pace = &summary(&run)["pace"];
    assert_eq!((&pace["store"], &pace["replicas"], &pace["was_alone"]), (&"alone".into(), &1.into(), &true.into()));
}
