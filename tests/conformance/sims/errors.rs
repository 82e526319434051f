//! Calls that fail by themselves: what the budget lets through, and what it costs.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use trysail::{Backoff, Budget, Verdict, retry::Charge};

use super::Dice;
use crate::conformance::table;

/// The share of calls that succeed, and the attempts per call, in per cent.
fn simulate(rate: f64, fails: f64, seed: u64) -> (f64, f64) {
    let (dice, budget, epoch) = (Dice::seeded(seed), Budget::default(), Instant::now());
    let backoff = Backoff::constant(Duration::ZERO);
    let (mut at, mut calls, mut attempts, mut successes) = (0.0, 0, 0, 0);
    let ends = if rate < 100.0 { 600.0 } else { 200.0 };
    loop {
        at += dice.gap(rate);
        if at > ends {
            return (100.0 * f64::from(successes) / f64::from(calls), 100.0 * f64::from(attempts) / f64::from(calls));
        }
        let now = epoch + Duration::from_secs_f64(at);
        budget.begin(|| now);
        calls += 1;
        let (mut delays, mut taken) = (backoff.clone().into_iter(), Vec::new());
        let succeeds = loop {
            attempts += 1;
            if !dice.chance(fails) {
                break true;
            }
            let paid = delays.next().and_then(|_| budget.withdraw(Verdict::TRANSIENT, now));
            let Some(charge) = paid else { break false };
            taken.push(charge);
        };
        if succeeds {
            successes += 1;
            taken.into_iter().for_each(|charge| budget.give_back(charge));
            budget.succeed(Charge::default());
        }
    }
}

#[test]
fn errors_that_come_by_themselves_cost_nothing() {
    #[derive(Deserialize)]
    struct Table {
        rows: Vec<(f64, f64, f64, f64)>,
    }
    println!("rate    f | success: table ours | load: table ours");
    for (rate, f, success, load) in table::<Table>("budget-productive").rows {
        let runs = [1, 2, 3].map(|seed| simulate(rate, f, seed));
        let mean = |of: fn(&(f64, f64)) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
        let (our_success, our_load) = (mean(|run| run.0), mean(|run| run.1));
        println!("{rate:4} {f:4} | {success:14.1} {our_success:4.1} | {load:11.1} {our_load:4.1}");
        let tolerance = match (rate, f) {
            (_, 0.5) => 10.0,
            (..=1.0, _) => 5.0,
            _ => 2.0,
        };
        assert!((success - our_success).abs() <= tolerance, "success at {rate}, {f}");
        assert!((load - our_load).abs() <= tolerance, "load at {rate}, {f}");
    }
}
