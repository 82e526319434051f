//! The brown-out of `storm`, met by patient calls of the real layers: closed loops that think for a second between two
//! calls, and calls that come by themselves.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::Deserialize;
use tokio::time::{self, Instant};
use tower::{Layer, Service, ServiceExt, service_fn};
use trysail::{Backoff, Budget, RetryLayer, Verdict, retry::BudgetSettings};

use super::Dice;
use crate::conformance::table;

const SECONDS: usize = 60;
/// In an open loop, what had to wait is still to be answered long after.
const OPEN_SECONDS: usize = 120;
const SLOW: std::ops::Range<f64> = 20.0..25.0;
const CALLS_A_SECOND: f64 = 700.0;
const PATIENCE: f64 = 1.0;
const MS: f64 = 0.001;

/// What the server does with what it cannot serve in time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    /// It takes it all in, and answers when nobody waits any more.
    Hangs,
    /// It answers 503 to everything, in a millisecond.
    Fails,
    /// It answers 503 to what it has no room for.
    Sheds,
}

struct Server {
    trouble: Trouble,
    errors: f64,
    dice: Dice,
    began: Instant,
    free: f64,
    sent: Vec<f64>,
    good: Vec<f64>,
}

impl Server {
    /// When a request that comes now is answered, and whether well.
    fn request(&mut self) -> (f64, bool) {
        let at = self.began.elapsed().as_secs_f64();
        count(&mut self.sent, at);
        let slow = SLOW.contains(&at);
        if slow && self.trouble == Trouble::Fails {
            return (MS, false);
        }
        let starts = self.free.max(at);
        let takes = if SLOW.contains(&starts) { 1.0 / 300.0 } else { 1.0 / 1_000.0 };
        if self.trouble == Trouble::Sheds && starts - at > ROOM {
            return (MS, false);
        }
        self.free = starts + takes;
        if self.free - at > PATIENCE { (PATIENCE, false) } else { (self.free - at, !self.dice.chance(self.errors)) }
    }

    fn answered(&mut self) {
        let at = self.began.elapsed().as_secs_f64();
        count(&mut self.good, at);
    }
}

fn count(seconds: &mut [f64], at: f64) {
    if let Some(count) = seconds.get_mut(at as usize) {
        *count += 1.0;
    }
}

/// How long a queue a server has that sheds.
const ROOM: f64 = 0.1;

#[derive(Clone, Copy, Debug)]
struct Summary {
    /// Before the first second after the brown-out that has 95 % of the answers from before it, and after which there
    /// are never less than 85 %.
    recovery_s: usize,
    /// Requests for each of before, from the beginning of the brown-out to the recovery.
    mean: f64,
    peak: f64,
    /// Answers a second in the end.
    goodput_90_119: f64,
}

impl Server {
    fn summary(&self) -> Summary {
        let before = |counts: &[f64]| counts[10..20].iter().sum::<f64>() / 10.0;
        let (good, sent) = (before(&self.good), before(&self.sent));
        let end = SLOW.end as usize;
        let settled = 1 + self.good.iter().rposition(|answers| *answers < 0.85 * good).unwrap_or(0);
        let recovered = (settled.max(end)..self.good.len()).find(|second| self.good[*second] >= 0.95 * good);
        let recovery_s = recovered.unwrap_or(self.good.len()) - end;
        let meanwhile = &self.sent[SLOW.start as usize..(end + recovery_s).max(end + 1)];
        Summary {
            recovery_s,
            mean: meanwhile.iter().sum::<f64>() / meanwhile.len() as f64 / sent,
            peak: self.sent[10..].iter().copied().fold(0.0, f64::max) / sent,
            goodput_90_119: self.good.get(90..119).map_or(good, |good| good.iter().sum::<f64>() / 29.0),
        }
    }
}

fn patient(budget: Budget) -> RetryLayer {
    let backoff = Backoff::exponential(Duration::from_millis(100)).retries(20);
    RetryLayer::new(backoff).patient().within(Duration::from_secs(600)).budget(budget)
}

type Wire = Arc<Mutex<Server>>;

fn service(wire: &Wire) -> impl Service<(), Response = (), Error = Verdict, Future: Send> + Clone + Send + 'static {
    let wire = Arc::clone(wire);
    service_fn(move |()| {
        let (takes, good) = wire.lock().expect("no panic").request();
        async move {
            time::sleep(Duration::from_secs_f64(takes)).await;
            if good { Ok(()) } else { Err(Verdict::TRANSIENT) }
        }
    })
}

fn wire(seconds: usize, trouble: Trouble, errors: f64, seed: u64) -> Wire {
    let (sent, good) = (vec![0.0; seconds], vec![0.0; seconds]);
    Arc::new(Mutex::new(Server {
        trouble,
        errors,
        dice: Dice::seeded(seed),
        began: Instant::now(),
        free: 0.0,
        sent,
        good,
    }))
}

/// So many processes with as many places each.
async fn closed(processes: u32, places: u32, trouble: Trouble, errors: f64, seed: u64) -> Summary {
    let wire = wire(SECONDS, trouble, errors, seed);
    let dice = Dice::seeded(seed + 100);
    for _ in 0..processes {
        let budget = Budget::new(BudgetSettings::default().closed_loop(places));
        let retry = patient(budget).layer(service(&wire));
        for _ in 0..places {
            let (retry, wire, first) = (retry.clone(), Arc::clone(&wire), dice.uniform());
            tokio::spawn(async move {
                time::sleep(Duration::from_secs_f64(first)).await;
                loop {
                    if retry.clone().oneshot(()).await.is_ok() {
                        wire.lock().expect("no panic").answered();
                    }
                    time::sleep(Duration::from_secs(1)).await;
                }
            });
        }
    }
    time::sleep(Duration::from_secs(SECONDS as u64)).await;
    let server = wire.lock().expect("no panic");
    server.summary()
}

/// Calls that come by themselves, spread over so many processes.
async fn open(processes: usize, seed: u64) -> Summary {
    let wire = wire(OPEN_SECONDS, Trouble::Hangs, 0.0, seed);
    let dice = Dice::seeded(seed + 100);
    let retries: Vec<_> = (0..processes).map(|_| patient(Budget::default()).layer(service(&wire))).collect();
    let (began, mut at) = (Instant::now(), dice.gap(CALLS_A_SECOND));
    while at < OPEN_SECONDS as f64 {
        time::sleep_until(began + Duration::from_secs_f64(at)).await;
        let retry = retries[(dice.uniform() * processes as f64) as usize].clone();
        let wire = Arc::clone(&wire);
        tokio::spawn(async move {
            if retry.oneshot(()).await.is_ok() {
                wire.lock().expect("no panic").answered();
            }
        });
        at += dice.gap(CALLS_A_SECOND);
    }
    let server = wire.lock().expect("no panic");
    server.summary()
}

#[tokio::test(start_paused = true)]
async fn closed_loops_go_on_after_an_outage() {
    for (errors, most_s) in [(0.0, 5), (0.25, 12)] {
        for trouble in [Trouble::Hangs, Trouble::Fails, Trouble::Sheds] {
            for (processes, places) in [(1, 700), (100, 7), (175, 4)] {
                let summary = closed(processes, places, trouble, errors, 1).await;
                println!("{errors} of errors, {trouble:?}, {processes} x {places}: {summary:?}");
                assert!(summary.recovery_s <= most_s && summary.mean < 1.5 && summary.peak <= 2.0);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn patient_calls_that_come_by_themselves_are_as_safe_as_impatient_ones() {
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
    for (processes, ..) in rows {
        let summary = open(processes, 1).await;
        println!("open loop, {processes}: {summary:?}");
        assert!(summary.recovery_s <= accept_ours.recovery_s_max);
        assert!(summary.goodput_90_119 >= accept_ours.goodput_90_119_min);
    }
}
