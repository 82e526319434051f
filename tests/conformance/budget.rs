//! Budgets of other systems, as far as ours says what they say.

use std::thread;

use serde::Deserialize;
use trysail::{
    Budget,
    retry::{BudgetSettings, Charge},
};

use super::*;

/// Begins a call and ends it well: what other systems call a deposit.
fn deposit(budget: &Budget, now: Instant) {
    budget.begin(|| now);
    budget.succeed(Charge::default());
}

fn withdraw(budget: &Budget, now: Instant) -> bool {
    budget.withdraw(Verdict::TRANSIENT, now).is_some()
}

#[tokio::test(start_paused = true)]
async fn a_ratio_grants_exactly_its_share() {
    #[derive(Deserialize)]
    struct Table {
        n: u32,
        rows: Vec<Row>,
    }
    #[derive(Deserialize)]
    struct Row {
        ttl_s: u32,
        min_per_s: u32,
        pct: f64,
        retries: u32,
    }
    let Table { n, rows } = table("budget-ratio");
    let now = Instant::now();
    for Row { ttl_s, min_per_s, pct, retries } in rows {
        // Room for one retry at least, as a share of ten seconds' calls may be less; it is full at first.
        let room = u32::from(pct * 180.0 < 1.0);
        let budget = Budget::new(BudgetSettings::ratio(pct).floor((ttl_s * min_per_s).max(room)));
        let mut granted = 0_u32;
        for _ in 0..n {
            deposit(&budget, now);
            match withdraw(&budget, now) {
                true => granted += 1,
                false => assert!(budget.snapshot().retries < 1.0, "refused, and there is one"),
            }
        }
        assert!(granted.abs_diff(retries) <= 1, "{pct}: {granted} of {retries}");
    }
    let empty = Budget::new(BudgetSettings::ratio(0.1).floor(0));
    assert_eq!((empty.snapshot().retries, withdraw(&empty, now)), (0.0, false));
    assert!((0..n).all(|_| withdraw(&Budget::unlimited(), now)));
    not_ours("budget-ratio", "deposits_only", "there is never more than the share of ten seconds' calls");
    not_ours("budget-ratio", "infinite: balance 100", "a budget that pays for everything need not count");
    not_ours("budget-ratio", "rejects: ttl_s, min_per_s", "there are no such settings; a negative ratio panics");
}

#[tokio::test(start_paused = true)]
async fn a_budget_forgets_calls_as_others_do_at_ten_times_their_pace() {
    #[derive(Deserialize)]
    struct Table {
        rows: Vec<Row>,
    }
    #[derive(Deserialize)]
    struct Row {
        ttl_s: u32,
        min: u32,
        pct: f64,
        script: Vec<String>,
    }
    for Row { ttl_s, min, pct, script } in table::<Table>("budget-over-time").rows {
        assert_eq!(ttl_s, 1, "our window is ten seconds, and no setting");
        let budget = Budget::new(BudgetSettings::ratio(pct).floor(min));
        let mut now = Instant::now();
        budget.begin(|| now - 60 * SECOND);
        for step in &script {
            match step.split([' ', '=']).collect::<Vec<_>>()[..] {
                ["deposit"] => deposit(&budget, now),
                ["advance", ms] => now += 10 * ms.parse::<u32>().expect("milliseconds") * MS,
                ["withdraw", granted] => assert_eq!(withdraw(&budget, now).to_string(), granted, "{script:?}"),
                _ => panic!("{step}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_are_granted_earned_and_capped_in_the_units_of_another_bucket() {
    #[derive(Deserialize)]
    struct Table {
        permits: Permits,
        fractional_reward: Reward,
        reward_cap: Cap,
        concurrency: Concurrency,
    }
    #[derive(Deserialize)]
    struct Permits {
        capacity: u32,
        cost: f64,
        grants: usize,
    }
    #[derive(Deserialize)]
    struct Reward {
        reward: f64,
        after_successes: std::collections::BTreeMap<String, f64>,
    }
    #[derive(Deserialize)]
    struct Cap {
        capacity: u32,
        available_never_exceeds: f64,
    }
    #[derive(Deserialize)]
    struct Concurrency {
        threads: usize,
        permits_exactly: usize,
    }
    let Table { permits, fractional_reward, reward_cap, concurrency } = table("bucket-units");
    let now = Instant::now();

    let budget = Budget::new(BudgetSettings::default().floor(permits.capacity).costs(permits.cost, permits.cost));
    assert_eq!((0..100).filter(|_| withdraw(&budget, now)).count(), permits.grants);

    let budget = Budget::new(BudgetSettings::ratio(fractional_reward.reward).floor(0));
    (0..10).for_each(|_| budget.begin(|| now));
    for (_, permits) in fractional_reward.after_successes {
        budget.succeed(Charge::default());
        assert_eq!(budget.snapshot().retries.floor(), permits);
    }

    let budget = Budget::new(BudgetSettings::default().floor(reward_cap.capacity));
    for _ in 0..40 {
        budget.begin(|| now);
        budget.succeed(Charge::default());
        assert!(budget.snapshot().retries <= reward_cap.available_never_exceeds);
    }

    // Ours fills by one in 14 s, so that is how long each permit of the table takes.
    let budget = Budget::new(BudgetSettings::default().floor(10));
    assert_eq!((0..100).filter(|_| withdraw(&budget, now)).count(), 10);
    let later = now + 14 * concurrency.permits_exactly as u32 * SECOND;
    let granted = thread::scope(|scope| {
        let threads: Vec<_> = (0..concurrency.threads).map(|_| scope.spawn(|| withdraw(&budget, later))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).filter(|paid| *paid).count()
    });
    assert_eq!(granted, concurrency.permits_exactly);

    for row in ["convert", "refill", "combined", "builder", "is_full_counts_fraction"] {
        not_ours(
            "bucket-units",
            row,
            "how fast it fills by itself is no setting, and the parts of a retry are private",
        );
    }
}
