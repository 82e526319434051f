//! A server slows down for five seconds. Who keeps it down after that?
//!
//! Open-loop calls, 700 a second; one queue, served at 1,000 a second and for five seconds at 300; a caller waits for
//! one second, and the server does not notice that he is gone.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use trysail::{Backoff, Budget, Verdict, retry::Charge};

use super::{Agenda, Dice};
use crate::conformance::{not_ours, table};

const CALLS_A_SECOND: f64 = 700.0;
const PATIENCE: f64 = 1.0;
const SLOW: std::ops::Range<f64> = 20.0..25.0;
const SECONDS: usize = 120;

/// Each second: calls that came, requests that were sent, answers that came in time.
struct Storm {
    came: Vec<f64>,
    sent: Vec<f64>,
    good: Vec<f64>,
}

enum Event {
    Call,
    Send(Course),
    Answer { process: usize, taken: Vec<Charge> },
    GiveUp(Course),
}

struct Course {
    process: usize,
    retries: usize,
    taken: Vec<Charge>,
}

/// The calls spread at random over as many processes as there are budgets.
fn simulate(budgets: &[Budget], backoff: &Backoff, seed: u64) -> Storm {
    let (dice, epoch) = (Dice::seeded(seed), Instant::now());
    let time = |at: f64| epoch + Duration::from_secs_f64(at);
    let mut storm = Storm { came: vec![0.0; SECONDS], sent: vec![0.0; SECONDS], good: vec![0.0; SECONDS] };
    let mut agenda = Agenda::new();
    let mut server_free = 0.0_f64;
    agenda.add(dice.gap(CALLS_A_SECOND), Event::Call);
    while let Some((at, event)) = agenda.next() {
        if at >= SECONDS as f64 {
            break;
        }
        let (second, now) = (at as usize, time(at));
        match event {
            Event::Call => {
                storm.came[second] += 1.0;
                let process = (dice.uniform() * budgets.len() as f64) as usize;
                budgets[process].begin(|| now);
                agenda.add(at, Event::Send(Course { process, retries: 0, taken: Vec::new() }));
                agenda.add(at + dice.gap(CALLS_A_SECOND), Event::Call);
            }
            Event::Send(course) => {
                storm.sent[second] += 1.0;
                let starts = server_free.max(at);
                server_free = starts + if SLOW.contains(&starts) { 1.0 / 300.0 } else { 1.0 / 1_000.0 };
                if server_free - at <= PATIENCE {
                    agenda.add(server_free, Event::Answer { process: course.process, taken: course.taken });
                } else {
                    agenda.add(at + PATIENCE, Event::GiveUp(course));
                }
            }
            Event::Answer { process, taken } => {
                storm.good[second] += 1.0;
                taken.into_iter().for_each(|charge| budgets[process].give_back(charge));
                budgets[process].succeed(Charge::default());
            }
            Event::GiveUp(mut course) => {
                let Some(delay) = backoff.clone().into_iter().nth(course.retries) else { continue };
                let Some(charge) = budgets[course.process].withdraw(Verdict::TRANSIENT, now) else { continue };
                course.taken.push(charge);
                course.retries += 1;
                agenda.add(at + delay.as_secs_f64(), Event::Send(course));
            }
        }
    }
    storm
}

/// The columns of the tables.
#[derive(Clone, Copy, Debug)]
struct Summary {
    goodput_30_60: f64,
    goodput_90_119: f64,
    amplification: f64,
    peak: f64,
    /// Before the first second in which 95 % of the calls are answered, and never less than 85 % after that.
    recovery_s: Option<usize>,
}

impl Storm {
    fn summary(&self) -> Summary {
        let mean = |counts: &[f64]| counts.iter().sum::<f64>() / counts.len() as f64;
        let settled = 1 + self.good.iter().rposition(|good| *good < 0.85 * CALLS_A_SECOND).unwrap_or(0);
        let end = SLOW.end as usize;
        let recovered = (settled.max(end)..SECONDS).find(|second| self.good[*second] >= 0.95 * CALLS_A_SECOND);
        Summary {
            goodput_30_60: mean(&self.good[30..60]),
            goodput_90_119: mean(&self.good[90..119]),
            amplification: mean(&self.sent[90..119]) / mean(&self.came[90..119]),
            peak: self.sent.iter().zip(&self.came).map(|(sent, came)| sent / came).fold(0.0, f64::max),
            recovery_s: recovered.map(|second| second - end),
        }
    }
}

fn processes(budget: impl Fn() -> Budget, count: usize) -> Vec<Budget> {
    (0..count).map(|_| budget()).collect()
}

fn ours(seed: u64) -> Backoff {
    Backoff::exponential(Duration::from_millis(100)).seed(seed)
}

fn show(what: &str, summary: &Summary) {
    let Summary { goodput_30_60, goodput_90_119, amplification, peak, recovery_s } = summary;
    let recovery = recovery_s.map_or("never".into(), |seconds| seconds.to_string());
    println!("{what:24} {goodput_30_60:5.0} {goodput_90_119:5.0} {amplification:5.2} {peak:5.2} {recovery:>6}");
}

#[test]
fn one_process_lets_a_server_recover_as_if_it_never_retried() {
    #[derive(Deserialize)]
    struct Table {
        rows: Vec<(String, f64, f64, f64, f64, String)>,
        accept_ours: Accept,
    }
    #[derive(Deserialize)]
    struct Accept {
        goodput_90_119_min: f64,
        recovery_s_max: usize,
        peak_amplification_max: f64,
    }
    let Table { rows, accept_ours } = table("metastability-one-client");
    println!("{:24} 30-60 90-119 ampl. peak recovery", "");
    for (policy, goodput_30_60, goodput_90_119, amplification, peak, recovery) in rows {
        println!("{policy:24} {goodput_30_60:5} {goodput_90_119:5} {amplification:5} {peak:5} {recovery:>6}");
        // The two that our types can say show that this is the model of the table.
        let (backoff, stays_down) = match policy.as_str() {
            "no_retries" => (ours(1).retries(0), false),
            "3_retries_no_budget" => (ours(1), true),
            _ => {
                not_ours("metastability-one-client", policy, "it is the policy of another");
                continue;
            }
        };
        let summary = simulate(&[Budget::unlimited()], &backoff, 1).summary();
        show("  in this model", &summary);
        assert!((summary.goodput_30_60 - goodput_30_60).abs() <= 20.0);
        assert!((summary.goodput_90_119 - goodput_90_119).abs() <= 20.0);
        assert!((summary.amplification - amplification).abs() <= 0.1);
        assert_eq!(summary.recovery_s.is_none(), stays_down);
        assert!(summary.recovery_s.is_none_or(|seconds| (4..=5).contains(&seconds)));
    }
    for seed in 1..=3 {
        let summary = simulate(&[Budget::default()], &ours(seed), seed).summary();
        show(&format!("ours, seed {seed}"), &summary);
        assert!(summary.goodput_90_119 >= accept_ours.goodput_90_119_min);
        assert!(summary.recovery_s.is_some_and(|seconds| seconds <= accept_ours.recovery_s_max));
        assert!(summary.peak <= accept_ours.peak_amplification_max);
    }
}

#[test]
fn a_fleet_of_processes_lets_a_server_recover() {
    #[derive(Deserialize)]
    struct Table {
        rows: Vec<(usize, f64, f64, f64, f64, String)>,
        accept_ours: Accept,
    }
    #[derive(Deserialize)]
    struct Accept {
        #[serde(rename = "recovery_s_max_for_all_M")]
        recovery_s_max: usize,
        goodput_90_119_min: f64,
    }
    let Table { rows, accept_ours } = table("metastability-fleet");
    println!("{:24} 30-60 90-119 ampl. peak recovery", "");
    for (count, goodput_30_60, goodput_90_119, amplification, peak, recovery) in rows {
        println!("{count:<24} {goodput_30_60:5} {goodput_90_119:5} {amplification:5} {peak:5} {recovery:>6}");
        for seed in 1..=2 {
            let summary = simulate(&processes(Budget::default, count), &ours(seed), seed).summary();
            show(&format!("  ours, seed {seed}"), &summary);
            assert!(summary.goodput_90_119 >= accept_ours.goodput_90_119_min);
            assert!(summary.recovery_s.is_some_and(|seconds| seconds <= accept_ours.recovery_s_max));
            assert!((summary.amplification - amplification).abs() <= 0.05);
        }
    }
    for policy in ["tower and Finagle's default", "AWS, 500 tokens at 14"] {
        not_ours("metastability-fleet", policy, "it is the policy of another");
    }
    let unbounded = simulate(&processes(Budget::unlimited, 1), &ours(1), 1).summary();
    show("no budget", &unbounded);
    assert!(unbounded.recovery_s.is_none());
}
