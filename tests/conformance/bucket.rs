//! Token buckets of an SDK, through a real retry layer: its delays, its costs, its reasons to stop.

use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::Value;
use tower::service_fn;
use trysail::{
    Backoff, Budget, RetryLayer,
    retry::{BudgetSettings, Charge, Jitter},
};

use super::*;

#[derive(Deserialize)]
struct Table {
    name: String,
    base_ms: u32,
    throttle_base_ms: Option<u32>,
    costs: std::collections::BTreeMap<String, f64>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    cap: u32,
    max_attempts: u32,
    max_backoff_ms: Option<u32>,
    steps: Vec<Vec<Value>>,
}

/// One attempt of the table.
struct Step {
    verdict: Verdict,
    delay: Option<Duration>,
    left: f64,
}

impl Step {
    fn of(row: &[Value]) -> Self {
        let verdict = match row[1].as_str() {
            None => Verdict::SUCCESS,
            Some("throttling") => Verdict::THROTTLED,
            Some("transient+hint1000") => Verdict::TRANSIENT.after(SECOND),
            Some(_) => Verdict::TRANSIENT,
        };
        let delay = row[2].as_u64().map(Duration::from_millis);
        Self { verdict, delay, left: row[3].as_f64().expect("tokens") }
    }
}

/// Makes one call; gives when each attempt began and the call ended, and what the budget held then.
async fn call(layer: &RetryLayer, budget: &Budget, steps: &[Step]) -> Vec<(Instant, f64)> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let look = {
        let (seen, budget) = (Arc::clone(&seen), budget.clone());
        move || seen.lock().expect("no panic").push((Instant::now(), budget.snapshot().retries))
    };
    let mut script = steps.iter().map(|step| step.verdict).collect::<Vec<_>>().into_iter();
    let script = Arc::new(Mutex::new(move || script.next().expect("an attempt of the table")));
    let server = service_fn({
        let look = look.clone();
        move |(): ()| {
            look();
            let verdict = (script.lock().expect("no panic"))();
            async move { if verdict == Verdict::SUCCESS { Ok(()) } else { Err(verdict) } }
        }
    });
    let _ = layer.layer(server).oneshot(()).await;
    look();
    let seen = seen.lock().expect("no panic");
    seen.clone()
}

async fn check(table: &Table, case: &Case) {
    let row = |because: &str| not_ours(&table.name, &case.name, because);
    let kind = case.steps[0][1].as_str().expect("a failure");
    let cost = table.costs[kind];
    let base = if kind == "throttling" { table.throttle_base_ms.expect("a delay") } else { table.base_ms };
    let budget = Budget::new(BudgetSettings::ratio(1.0).floor(case.cap).costs(cost, cost));
    let backoff = Backoff::exponential(base * MS).cap(case.max_backoff_ms.unwrap_or(20_000) * MS);
    let layer = RetryLayer::new(backoff.jitter(Jitter::None).retries(case.max_attempts - 1)).budget(budget.clone());
    for attempts in case.steps.split(|step| step[0] == "NEW") {
        let steps: Vec<_> = attempts.iter().map(|row| Step::of(row)).collect();
        let before = budget.snapshot().retries;
        let seen = call(&layer, &budget, &steps).await;
        assert_eq!(seen.len(), steps.len() + 1, "{}: attempts", case.name);
        for (step, pair) in steps.iter().zip(seen.windows(2)) {
            let ((began, _), (next, left)) = (pair[0], pair[1]);
            // Ours fills by one token in 14 s, too.
            let free = (next - seen[0].0).as_secs_f64() / 14.0 + 0.01;
            match (step.verdict, step.delay) {
                (Verdict::SUCCESS, _) => {
                    let ours = (before + 1.0).min(f64::from(case.cap));
                    assert!((ours..=ours + free).contains(&left), "{}: all comes back", case.name);
                    if !(step.left..=step.left + free).contains(&left) {
                        return row("a call that succeeds gets all its charges back, not the last one");
                    }
                    continue;
                }
                (verdict, Some(_)) if verdict.retry_after().is_some() => {
                    assert!((2 * SECOND..3 * SECOND).contains(&(next - began)));
                    row("a hint does not make a longer backoff shorter");
                }
                (Verdict::THROTTLED, Some(delay)) => assert!((delay..delay * 3 / 2 + MS).contains(&(next - began))),
                (_, delay) => assert_eq!(next - began, delay.unwrap_or_default(), "{}", case.name),
            }
            assert!((step.left..=step.left + free).contains(&left), "{}: {left} of {}", case.name, step.left);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn delays_costs_and_refusals_are_those_of_the_standard_bucket() {
    let table: Table = table("bucket-standard");
    for case in &table.cases {
        check(&table, case).await;
    }
}

#[tokio::test(start_paused = true)]
async fn delays_costs_and_refusals_are_those_of_the_weighted_bucket() {
    let table: Table = table("bucket-weighted");
    for case in &table.cases {
        check(&table, case).await;
    }
    not_ours("bucket-weighted", "long_polling", "a call that is given up returns at once");
}

#[tokio::test(start_paused = true)]
async fn each_success_returns_a_token_to_a_bucket_that_counts_so() {
    let now = Instant::now();
    let budget = Budget::new(BudgetSettings::ratio(1.0).floor(20).costs(10.0, 10.0));
    let drained = (0..9).take_while(|_| budget.withdraw(Verdict::TRANSIENT, now).is_some()).count();
    assert_eq!((drained, budget.snapshot().retries), (2, 0.0));
    for earned in 1..=20 {
        budget.begin(|| now);
        budget.succeed(Charge::default());
        assert_eq!(budget.snapshot().retries, f64::from(earned));
    }
}

#[test]
fn buckets_that_follow_another_rule_are_not_ours() {
    let rows: Value = table("bucket-break-even");
    for row in rows["rows"].as_array().expect("rows") {
        not_ours(
            "bucket-break-even",
            row,
            "it refunds the last charge only; the sim of budget-productive stands for ours",
        );
    }
    let grpc: Value = table("grpc-throttling");
    let because = "it charges each failed attempt, retried or not, and stops at half of its tokens";
    for row in [&grpc["script"], &grpc["validation"], &grpc["grpc_java"]["events"]] {
        not_ours("grpc-throttling", row, because);
    }
}
