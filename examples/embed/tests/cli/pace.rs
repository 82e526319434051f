//! An account with a rate limit: how many requests it refuses, and what is said of it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::Instant};

use crate::support::{Run, run, sentences};

/// A bucket of requests with two seconds' worth in it, which takes no key any more from some answer on.
pub(crate) struct Account {
    a_minute: f64,
    /// What it has room for.
    most: f64,
    names_limits: bool,
    dead_from: u64,
    level: f64,
    at: Instant,
    pub(crate) answered: u64,
    pub(crate) throttled: u64,
    rejected: u64,
}

pub(crate) type Shared = Arc<Mutex<Account>>;

impl Account {
    pub(crate) fn new(a_minute: f64) -> Self {
        let (level, at) = (a_minute / 30.0, Instant::now());
        Self {
            a_minute,
            most: level,
            names_limits: false,
            dead_from: u64::MAX,
            level,
            at,
            answered: 0,
            throttled: 0,
            rejected: 0,
        }
    }

    /// It says what is left of a minute's worth, for which it has room.
    pub(crate) fn named(a_minute: f64) -> Self {
        Self { most: a_minute, names_limits: true, ..Self::new(a_minute) }
    }

    fn ask(&mut self, texts: usize) -> Response {
        if self.answered >= self.dead_from {
            self.rejected += 1;
            let error = json!({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}});
            return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
        }
        let (now, a_second, most) = (Instant::now(), self.a_minute / 60.0, self.most);
        self.level = (self.level + (now - self.at).as_secs_f64() * a_second).min(most);
        self.at = now;
        let taken = self.level >= 1.0;
        if taken {
            (self.level, self.answered) = (self.level - 1.0, self.answered + 1);
        } else {
            self.throttled += 1;
        }
        let mut headers = HeaderMap::new();
        if self.names_limits {
            let reset = format!("{}ms", ((most - self.level) / a_second * 1e3) as u64);
            let left = self.level as u64;
            for (name, value) in
                [("limit", self.a_minute.to_string()), ("remaining", left.to_string()), ("reset", reset)]
            {
                let name = format!("x-ratelimit-{name}-requests").parse::<axum::http::HeaderName>().unwrap();
                headers.insert(name, value.parse().unwrap());
            }
        }
        if !taken {
            headers.insert("retry-after", "1".parse().unwrap());
            let error = json!({"error": {"message": "Rate limit reached for requests", "code": "rate_limit_exceeded"}});
            return (StatusCode::TOO_MANY_REQUESTS, headers, Json(error)).into_response();
        }
        let data = vec![json!({ "embedding": [0.5, 1.0] }); texts];
        let usage = json!({ "prompt_tokens": 20 * texts, "total_tokens": 20 * texts });
        (headers, Json(json!({ "data": data, "usage": usage }))).into_response()
    }
}

pub(crate) fn lock(account: &Shared) -> MutexGuard<'_, Account> {
    account.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The URL of a server with `account`.
pub(crate) async fn served(account: Account) -> (String, Shared) {
    let account = Arc::new(Mutex::new(account));
    let shared = Arc::clone(&account);
    let answer = |Json(body): Json<Value>| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        lock(&shared).ask(body["input"].as_array().unwrap().len())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(post(answer))).await });
    (url, account)
}

/// Embeds so many lines, one in each request, by a server with `account`; and says how long it took.
async fn embedded(account: Account, lines: usize, args: &[&str]) -> (Run, Duration, Shared) {
    let (url, account) = served(account).await;
    let began = Instant::now();
    let args = [&["--batch", "1", "--concurrency", "8"], args].concat();
    let run = run(&url, &args, sentences(lines).join("\n")).await;
    (run, began.elapsed(), account)
}

/// The last line of standard error.
pub(crate) fn summary(run: &Run) -> Value {
    let last = run.stderr.lines().last().unwrap_or_default();
    serde_json::from_str::<Value>(last).unwrap_or_else(|error| panic!("{error}: {}", run.stderr))["summary"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_rate_of_the_account_next_to_nothing_is_refused() {
    let (run, took, account) = embedded(Account::new(1_200.0), 100, &["--rpm", "1200", "--json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let account = lock(&account);
    assert!(account.answered == 100 && account.throttled <= 1, "{} refused", account.throttled);
    assert!(took >= Duration::from_secs(3), "it took {took:?}");
    let pace = &summary(&run)["pace"];
    assert_eq!(pace["requests_per_minute"], 1_200.0);
    assert!(pace["waits"].as_u64() > Some(50) && pace["waited_seconds"].as_f64() > Some(3.0), "{pace}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_answers_say_of_the_account_is_kept_to() {
    let (run, _, account) = embedded(Account::named(1_200.0), 150, &["--json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let account = lock(&account);
    assert!(account.answered == 150 && account.throttled <= 4, "{} refused", account.throttled);
    assert_eq!(summary(&run)["pace"]["learnt_requests_per_minute"], 1_200.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_limit_is_named_one_refusal_stops_all() {
    let (run, _, account) = embedded(Account::new(1_200.0), 120, &["--json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let account = lock(&account);
    assert!(account.answered == 120 && account.throttled <= 30, "{} refused", account.throttled);
    assert!(summary(&run)["pace"]["paused_seconds"].as_f64() >= Some(1.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_dies_costs_a_handful_of_requests() {
    let account = Account { dead_from: 40, ..Account::new(60_000.0) };
    let (run, _, account) = embedded(account, 5_000, &[]).await;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(run.rows().iter().filter(|row| row.embedding.is_some()).count(), 40);
    assert!(run.stderr.contains("check the API key") || run.stderr.contains("no key was sent"), "{}", run.stderr);
    let rejected = lock(&account).rejected;
    assert!((1..=10).contains(&rejected), "{rejected} requests with a dead key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_whose_turn_comes_too_late_fails_at_once_and_says_what_to_do() {
    let (run, took, account) = embedded(Account::new(6_000.0), 5, &["--rpm", "2", "--deadline", "20s"]).await;
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    assert_eq!((run.code, lock(&account).answered), (Some(1), 1), "{}", run.stderr);
    let errors: Vec<_> = run.rows().into_iter().filter_map(|row| row.error).collect();
    let Some(first) = errors.first() else { panic!("{}", run.stdout) };
    assert_eq!((errors.len(), first.attempts), (4, 0), "{errors:?}");
    for words in ["its turn under the rate limit comes too late", "next try in", "--deadline", "--rpm"] {
        assert!(first.message.contains(words), "{}", first.message);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_summary_says_what_was_used_up_and_how_it_ended() {
    let account = || Account::named(600.0);
    let (run, _, account_after) = embedded(account(), 30, &["--json"]).await;
    let (cost, throttled) = (summary(&run)["cost"].clone(), lock(&account_after).throttled);
    let bytes: usize = sentences(30).iter().map(String::len).sum();
    assert_eq!(cost["answered"], json!({ "requests": 30, "lines": 30, "bytes": bytes, "tokens": 600 }));
    assert_eq!(cost["failed"]["requests"], throttled, "{cost}");
    assert_eq!(cost["abandoned"]["requests"], 0, "{cost}");

    let (run, ..) = embedded(account(), 3, &[]).await;
    for words in ["pace      600 requests a minute, as the server says", "cost      answered 3 requests of 3 lines, "] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    let (run, ..) = embedded(account(), 3, &["--quiet"]).await;
    assert_eq!(run.stderr, "");
}
