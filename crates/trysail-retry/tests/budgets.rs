//! A budget for each key.

use std::{future::ready, time::Duration};

use tokio::time;
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceExt, service_fn};
use trysail_core::Verdict;
use trysail_retry::{Budget, BudgetSettings, Budgets, RetryLayer, Stop, report};

#[tokio::test(start_paused = true)]
async fn each_key_has_a_budget_and_full_ones_make_room() {
    let budgets = Budgets::new(16, Budget::default);
    let service = service_fn(|key: u32| ready(if key < 8 { Err(Verdict::TRANSIENT) } else { Ok(()) }));
    let layer = RetryLayer::new([Duration::ZERO; 9]).budget(budgets.keyed(|key: &u32| *key));
    let service = layer.layer(service);
    for key in (0..8).chain(0..1_000) {
        let _ = service.clone().oneshot(key).await;
    }
    let known = budgets.snapshot();
    assert!(known.len() <= 16);
    let empty: Vec<_> = known.iter().filter(|(_, balance)| balance.retries < 1.0).map(|(key, _)| *key).collect();
    assert!((0..8).all(|key| empty.contains(&key)), "what is owed is not forgotten: {empty:?}");
    let (outcome, told) = report(service.clone().oneshot(3)).await;
    outcome.unwrap_err();
    assert_eq!((told.attempts(), told.stop()), (1, Some(Stop::Budget)), "its own budget is empty");
    service.oneshot(2_000).await.unwrap();

    let held: Vec<_> = (0..16).map(|key| budgets.get(&(3_000 + key))).collect();
    let detached = budgets.get(&4_000);
    detached.set(detached.settings().floor(9));
    assert_eq!(budgets.get(&4_000).settings(), Budget::default().settings(), "with no room, nothing is remembered");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_key_share_a_budget_and_hold_it() {
    let budgets = Budgets::new(1, Budget::default);
    let service = service_fn(|_: &'static str| ready(Err::<(), _>(Verdict::TRANSIENT)));
    let layer = RetryLayer::new([Duration::from_secs(1)]).budget(budgets.keyed(|key: &&'static str| *key));
    let service = layer.layer(service);
    let mut call = task::spawn(service.clone().oneshot("a"));
    assert_pending!(call.poll());
    assert_eq!(budgets.get(&"a").snapshot().retries, 2.0);
    budgets.get(&"b");
    assert_eq!(budgets.snapshot().iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["a"], "it is held by the call");
    drop(call);
    time::advance(Duration::from_secs(60)).await;
    budgets.get(&"b");
    assert_eq!(
        budgets.snapshot().iter().map(|(key, _)| *key).collect::<Vec<_>>(),
        ["b"],
        "it is full, and held by nobody"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_goes_through_no_budget_is_limited_by_itself_alone() {
    let budget = Budget::new(BudgetSettings::default().ceiling(0));
    let service = service_fn(|_: bool| ready(Err::<(), _>(Verdict::TRANSIENT)));
    let limited = move |limited: &bool| limited.then(|| budget.clone());
    let service = RetryLayer::new([Duration::ZERO; 2]).budget(limited).layer(service);
    for (limited, attempts) in [(true, 1), (false, 3)] {
        let (outcome, told) = report(service.clone().oneshot(limited)).await;
        outcome.unwrap_err();
        assert_eq!(told.attempts(), attempts);
    }
}
