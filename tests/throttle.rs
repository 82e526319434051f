//! A job under a provider's rate limit, on the paused clock: with the throttle, and without.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{self, Instant},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Backoff, BreakerLayer, Circuit, Failure, Held, Pace, PaceSettings, Rate, RetryLayer, ThrottleLayer, TimeoutLayer,
    Trip, Verdict, report,
    throttle::Demand,
    verdict::{Allowance, Hold, Inherit, Lesson, Quota},
};

const SECOND: Duration = Duration::from_secs(1);
const CALLERS: u64 = 64;

type Judged = Failure<(), std::io::Error>;
/// By tokens.
type Metered = ThrottleLayer<Pace, Inherit, Demand<fn(&u64) -> u64>>;

/// A provider's limits, as buckets that refill evenly and hold a minute's worth.
#[derive(Clone)]
struct Provider(Arc<Mutex<Account>>);

struct Account {
    buckets: [Bucket; 2],
    names_a_time: bool,
    answered: u64,
    tokens: f64,
    throttled: u64,
    sent: Vec<Instant>,
}

struct Bucket {
    most: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    fn per_minute(most: f64) -> Self {
        Self { most, level: most, at: Instant::now() }
    }

    /// After how long there is enough, in seconds.
    fn lacks(&mut self, units: f64) -> f64 {
        let now = Instant::now();
        self.level = (self.level + (now - self.at).as_secs_f64() * self.most / 60.0).min(self.most);
        self.at = now;
        (units - self.level).max(0.0) * 60.0 / self.most
    }
}

impl Provider {
    fn new(names_a_time: bool) -> Self {
        let buckets = [Bucket::per_minute(500.0), Bucket::per_minute(200_000.0)];
        let (answered, tokens, throttled, sent) = (0, 0.0, 0, Vec::new());
        Self(Arc::new(Mutex::new(Account { buckets, names_a_time, answered, tokens, throttled, sent })))
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers after a quarter of a second, if there was enough when it was asked.
    fn service(&self) -> impl Service<u64, Response = Allowance, Error = Judged, Future: Send> + Clone + Send + use<> {
        let provider = self.clone();
        service_fn(move |tokens: u64| {
            let answer = provider.ask(tokens);
            async move {
                time::sleep(SECOND / 4).await;
                answer
            }
        })
    }

    fn ask(&self, tokens: u64) -> Result<Allowance, Judged> {
        let mut account = self.lock();
        account.sent.push(Instant::now());
        let wants = [1.0, tokens as f64];
        let lacks =
            account.buckets.iter_mut().zip(wants).map(|(bucket, units)| bucket.lacks(units)).fold(0.0, f64::max);
        if lacks > 0.0 {
            account.throttled += 1;
            let hint = Duration::from_secs_f64(lacks.ceil());
            let verdict = if account.names_a_time { Verdict::THROTTLED.after(hint) } else { Verdict::THROTTLED };
            return Err(Failure::Response { verdict, status: Some(429), response: () });
        }
        account.buckets.iter_mut().zip(wants).for_each(|(bucket, units)| bucket.level -= units);
        account.answered += 1;
        account.tokens += tokens as f64;
        let [requests, cost] = account.buckets.each_ref().map(|bucket| {
            let reset = Duration::from_secs_f64((bucket.most - bucket.level) * 60.0 / bucket.most);
            Quota::new(bucket.most as u64, bucket.level.max(0.0) as u64, 60 * SECOND).map(|quota| quota.reset(reset))
        });
        Ok(Allowance { requests, cost })
    }

    /// What share of that which the scarcer bucket refilled in ten minutes was used, and that of refused requests.
    fn shares(&self) -> (f64, f64) {
        let account = self.lock();
        let used = (account.answered as f64 / 5_000.0).max(account.tokens / 2_000_000.0);
        (used, account.throttled as f64 / account.sent.len() as f64)
    }
}

/// Runs the callers, one call after the other each, for ten minutes.
async fn runs<S>(service: S, cost: u64)
where
    S: Service<u64, Error = Judged, Future: Send> + Clone + Send + 'static,
{
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let service = service.clone();
        callers.spawn(async move {
            let begin = Instant::now();
            let mut call = caller;
            while begin.elapsed() < 600 * SECOND {
                call = call.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let _outcome = service.clone().oneshot(cost / 2 + (call >> 33) % cost).await;
            }
        });
    }
    callers.join_all().await;
}

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(SECOND / 10).seed(7)).within(300 * SECOND).seed(7)
}

fn throttled(pace: &Pace) -> Metered {
    let cost: fn(&u64) -> u64 = |tokens| *tokens;
    ThrottleLayer::new(pace.clone()).cost(cost).most(300 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn with_the_rates_that_the_account_has_next_to_nothing_is_refused_and_nearly_all_of_it_is_used() {
    for cost in [300, 2_000] {
        let provider = Provider::new(true);
        let settings = PaceSettings::new().requests(Rate::per_minute(500)).cost(Rate::per_minute(200_000));
        let stack = ServiceBuilder::new().layer(retry()).layer(throttled(&Pace::new(settings)));
        runs(stack.service(provider.service()), cost).await;
        let (used, refused) = provider.shares();
        assert!(used >= 0.97 && refused < 0.005, "{cost}: {used} used, {refused} refused");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_answers_say_is_enough_to_know_the_rates() {
    for cost in [300, 2_000] {
        let provider = Provider::new(true);
        let learn = |outcome: Result<&Allowance, &Judged>| Lesson {
            allowance: outcome.copied().unwrap_or_default(),
            cost: None,
        };
        let layer = throttled(&Pace::default()).learn_with(learn);
        runs(ServiceBuilder::new().layer(retry()).layer(layer).service(provider.service()), cost).await;
        let (used, refused) = provider.shares();
        assert!(used >= 0.97 && refused < 0.005, "{cost}: {used} used, {refused} refused");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_charged_for_what_the_server_has_counted() {
    for (likely, actual) in [(100, 10), (10, 100)] {
        let pace = Pace::new(PaceSettings::new().cost(Rate::per_second(10).burst(200)));
        let layer = ThrottleLayer::new(pace.clone()).cost(move |(): &()| likely);
        let learn = move |_: Result<&(), &Judged>| Lesson { cost: Some(actual), ..Lesson::default() };
        let service = layer.learn_with(learn).layer(service_fn(|()| std::future::ready(Ok::<_, Judged>(()))));
        service.oneshot(()).await.expect("it succeeds");
        assert_eq!(pace.snapshot().cost(), Some(200.0 - actual as f64));
    }
}

#[tokio::test(start_paused = true)]
async fn who_else_uses_the_account_is_seen_and_an_empty_window_is_waited_out() {
    let pace = Pace::default();
    let quota = |left, reset| Quota::new(600, left, 60 * SECOND).map(|quota| quota.reset(reset));
    let learn = |outcome: Result<&Allowance, &Judged>| Lesson {
        allowance: outcome.copied().unwrap_or_default(),
        ..Lesson::default()
    };
    let ask = |left, reset| {
        let allowance = Allowance { requests: quota(left, reset), cost: None };
        let below = service_fn(move |_: u64| std::future::ready(Ok::<_, Judged>(allowance)));
        throttled(&pace).learn_with(learn).layer(below).oneshot(1)
    };
    ask(500, 10 * SECOND).await.expect("it succeeds");
    assert_eq!(pace.snapshot().requests(), Some(488.0), "but for a fiftieth");
    ask(100, 50 * SECOND).await.expect("it succeeds");
    assert_eq!(pace.snapshot().requests(), Some(88.0), "others have used 399");
    ask(0, 20 * SECOND).await.expect("it succeeds");
    let begin = Instant::now();
    ask(599, SECOND).await.expect("its turn comes");
    let waited = begin.elapsed();
    assert!(waited >= 20 * SECOND - SECOND / 5 && waited <= 20 * SECOND + SECOND / 5, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_known_of_the_account_its_rate_is_found() {
    for (names_a_time, cost) in [(true, 300), (false, 300), (true, 2_000), (false, 2_000)] {
        let provider = Provider::new(names_a_time);
        let stack = ServiceBuilder::new().layer(retry()).layer(throttled(&Pace::default()));
        runs(stack.service(provider.service()), cost).await;
        let (used, refused) = provider.shares();
        assert!(used >= 0.90 && refused < 0.03, "{names_a_time} {cost}: {used} used, {refused} refused");
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_throttle_every_caller_runs_into_the_limit_by_itself() {
    let provider = Provider::new(true);
    runs(ServiceBuilder::new().layer(retry()).service(provider.service()), 300).await;
    let (_, refused) = provider.shares();
    assert!(refused > 0.10, "{refused} refused");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_wait_out_a_pause_and_come_back_in_their_order_without_a_burst() {
    let provider = Provider::new(true);
    let pace = Pace::new(Rate::per_second(20));
    let hint = ServiceBuilder::new().layer(throttled(&pace)).service(service_fn(|_: u64| async {
        let verdict = Verdict::THROTTLED.after(20 * SECOND);
        Err::<u64, _>(Judged::Response { verdict, status: Some(429), response: () })
    }));
    hint.oneshot(0).await.expect_err("it is one too many");
    let begin = Instant::now();
    let order = Arc::new(Mutex::new(Vec::new()));
    let sent = Arc::clone(&order);
    let below = service_fn(move |call: u64| {
        sent.lock().unwrap_or_else(PoisonError::into_inner).push((begin.elapsed(), call));
        async move {
            time::sleep(SECOND / 4).await;
            Ok::<_, Judged>(call)
        }
    });
    drop(provider);
    // Some of them have less time than the rest of the queue needs.
    let limit = |call: &u64| if call.is_multiple_of(10) { 30 * SECOND } else { 120 * SECOND };
    let mut service = ThrottleLayer::new(pace.clone()).most(limit).layer(below);
    let mut calls = JoinSet::new();
    let mut refused = 0;
    for call in 0..1_000_u64 {
        let mut outcome = tokio_test::task::spawn(service.call(call));
        if let std::task::Poll::Ready(outcome) = outcome.poll() {
            let error = outcome.expect_err("nothing is sent while it pauses");
            assert!(matches!(error, Failure::Held(held) if held.hold() == Hold::Pause), "{error}");
            refused += 1;
        } else {
            calls.spawn(async move {
                let answer = outcome.await;
                (call, begin.elapsed(), answer)
            });
        }
    }
    for (call, took, answer) in calls.join_all().await {
        match answer {
            Ok(_) => assert!(took <= limit(&call) + SECOND, "{call}: {took:?}"),
            Err(Failure::Held(_)) => assert!(took <= limit(&call) + SECOND / 10, "{call}: {took:?}"),
            Err(error) => panic!("{call}: {error}"),
        }
    }
    let order = order.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(refused > 50 && order.len() + refused >= 990, "{refused} refused, {} sent", order.len());
    assert!(order[0].0 >= 20 * SECOND && order.is_sorted());
    let within = |from: Duration, to: Duration| order.iter().filter(|(at, _)| (from..to).contains(at)).count();
    let first = order[0].0;
    assert_eq!([within(first, first + SECOND / 4), within(first + SECOND / 4, first + SECOND / 2)], [1, 2]);
    for second in 20..60 {
        assert!(within(second * SECOND, (second + 1) * SECOND) <= 21, "{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_ones_turn_is_no_retry_and_the_pause_does_not_come_on_top_of_the_retrys_own() {
    let provider = Provider::new(true);
    let pace = Pace::new(Rate::per_minute(60).burst(1));
    let stack = ServiceBuilder::new().layer(retry()).layer(throttled(&pace)).service(provider.service());
    stack.clone().oneshot(1).await.expect("there is one");
    let (outcome, report) = report(stack.oneshot(1)).await;
    outcome.expect("its turn comes");
    assert_eq!((report.attempts(), report.slept()), (1, Duration::ZERO));

    let answers = Arc::new(Mutex::new([Some(10 * SECOND), None].into_iter()));
    let once = service_fn(move |_: u64| {
        let hint = answers.lock().unwrap_or_else(PoisonError::into_inner).next().flatten();
        let verdict = |hint| Verdict::THROTTLED.after(hint);
        let failure = |hint| Failure::Response { verdict: verdict(hint), status: Some(429), response: () };
        std::future::ready(hint.map_or(Ok(()), |hint| Err::<(), Judged>(failure(hint))))
    });
    let begin = Instant::now();
    let stack = ServiceBuilder::new().layer(retry()).layer(throttled(&Pace::default())).service(once);
    stack.oneshot(1).await.expect("the second attempt");
    let took = begin.elapsed();
    assert!(took >= 10 * SECOND && took <= 15 * SECOND + SECOND / 100, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_below_gives_the_turn_back() {
    let circuit = Circuit::new(Trip::default());
    circuit.force_open();
    let pace = Pace::new(Rate::per_minute(1));
    let stack = ServiceBuilder::new()
        .layer(TimeoutLayer::new(30 * SECOND))
        .layer(throttled(&pace))
        .layer(BreakerLayer::new(circuit.clone()))
        .service(Provider::new(true).service());
    for _ in 0..3 {
        let error = stack.clone().oneshot(1).await.expect_err("it is open");
        assert!(matches!(error, Failure::Open(_)), "{error}");
    }
    circuit.force_closed();
    stack.clone().oneshot(1).await.expect("no turn was used up");
    let error = stack.oneshot(1).await.expect_err("this one was");
    assert!(matches!(error, Failure::Elapsed(_) | Failure::Held(Held { .. })), "{error}");
}
