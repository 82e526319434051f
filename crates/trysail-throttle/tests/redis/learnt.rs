//! Rates that nobody has set: the server says them.

use std::{
    future::ready,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use trysail_core::Verdict;
use trysail_throttle::{Allowance, Lesson, Pace, PaceSettings, Quota, Store, ThrottleLayer, redis::RedisStore};

use crate::{away::until, server::Server};

const LIMIT: u64 = 200;
const WINDOW: Duration = Duration::from_secs(2);

/// A server that takes so many in each window, and says with each answer how many are left.
#[derive(Clone)]
struct Provider(Arc<Mutex<Account>>);

struct Account {
    left: f64,
    at: Instant,
    answered: u32,
    refused: u32,
}

impl Provider {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Account { left: LIMIT as f64, at: Instant::now(), answered: 0, refused: 0 })))
    }

    fn asks(&self) -> Result<u64, BoxError> {
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refilled = account.at.elapsed().as_secs_f64() * LIMIT as f64 / WINDOW.as_secs_f64();
        (account.left, account.at) = ((account.left + refilled).min(LIMIT as f64), Instant::now());
        if account.left < 1.0 {
            account.refused += 1;
            return Err(Verdict::THROTTLED.after(WINDOW / 100).into());
        }
        account.left -= 1.0;
        account.answered += 1;
        Ok(account.left as u64)
    }

    fn said(&self) -> (u32, u32) {
        let account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (account.answered, account.refused)
    }
}

fn learns(outcome: Result<&u64, &BoxError>) -> Lesson {
    let requests = outcome.ok().and_then(|left| Quota::new(LIMIT, *left, WINDOW));
    Lesson { allowance: Allowance { requests, ..Allowance::default() }, ..Lesson::default() }
}

async fn calls(pace: Pace, provider: Provider, end: Instant) {
    let service = service_fn(move |()| ready(provider.asks()));
    let mut service =
        ThrottleLayer::new(pace).learn_with(learns as fn(Result<&u64, &BoxError>) -> Lesson).layer(service);
    while Instant::now() < end {
        let call = async { service.ready().await.expect("it is ready").call(()).await };
        let _ = timeout(Duration::from_secs(2), call).await;
        // As long as an answer takes.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_learnt_limit_is_shared_as_well() {
    let Some(server) = Server::start(&[]).await else { return };
    let provider = Provider::new();
    let end = Instant::now() + Duration::from_secs(5);
    let mut all = JoinSet::new();
    let paces = [(); 3].map(|()| RedisStore::open(&server.url()).expect("an URL").pace("a", PaceSettings::new()));
    for pace in &paces {
        for _ in 0..20 {
            all.spawn(calls(pace.clone(), provider.clone(), end));
        }
    }
    while all.join_next().await.is_some() {}
    let (answered, refused) = provider.said();
    println!("learnt: {answered} answered, {refused} refused");
    for pace in &paces {
        assert_eq!((until(pace, Store::Shared).await.as_secs(), pace.snapshot().replicas()), (0, 3));
    }
    // The bucket, and what it brings in five seconds.
    assert!((550..=720).contains(&answered), "{answered}");
    assert!(refused * 50 <= answered, "{refused} of {answered}");
}
