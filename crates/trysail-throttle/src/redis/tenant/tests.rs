//! Replicas against a store that is a few lines long: whatever comes, no unit is lost or made.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    PaceSettings,
    decision::{Arrival, Look},
    queue::Want,
    rate::Rate,
};

const MS: u64 = 1_000_000;

/// What the script does, without pauses and without replicas that go.
#[derive(Default)]
struct NaiveStore {
    full: [Option<i64>; 2],
}

struct Replica {
    machine: Machine,
    rates: Rates,
    tenant: Tenant,
    /// Calls that passed, and what they cost.
    passed: Sent,
    waiting: Vec<(u64, u64)>,
}

#[derive(Clone, Copy, Debug)]
enum Move {
    /// A call of such a cost comes to a replica.
    Call(usize, u64),
    /// The oldest call that waits is given up.
    GiveUp(usize),
    Pass(u64),
}

impl NaiveStore {
    fn visit(&mut self, ask: &Ask, replicas: u32, now: u64) -> Reply {
        let now = now as i64;
        let mut reply = Reply { replicas, ..Reply::default() };
        for (which, claim) in ask.claims.iter().enumerate().filter(|(_, claim)| claim.depth > 0) {
            let depth = claim.depth as i64;
            let full = self.full[which].unwrap_or(now + (depth - claim.one as i64).max(0));
            let full = full.max((full + claim.sent as i64).min(now + depth + 250 * MS as i64));
            let full = full.max(now + claim.floor as i64).max(now) + claim.take;
            if claim.take > 0 {
                reply.wait = reply.wait.max((full - depth.max(claim.take) - now).max(0) as u64);
            }
            reply.spare[which] = (now + depth - full).max(0) as u64;
            self.full[which] = Some(full);
        }
        reply
    }
}

impl Replica {
    fn new(settings: PaceSettings) -> Self {
        let (mut machine, rates) = (Machine::new(settings), Rates::new());
        machine.sharing.store = Store::Shared;
        machine.set(&rates, settings, 0);
        Self { machine, rates, tenant: Tenant::default(), passed: [0; 2], waiting: Vec::new() }
    }

    fn call(&mut self, cost: u64, now: u64) {
        match self.machine.enter(&self.rates, Want { cost, until: u64::MAX }, now) {
            Arrival::Passes(_) => self.passes(cost),
            Arrival::Waits(id) => self.waiting.push((id, cost)),
            Arrival::Refused(held) => panic!("nobody minds to wait: {held:?}"),
        }
    }

    fn gives_up(&mut self, now: u64) {
        if !self.waiting.is_empty() {
            let (id, _) = self.waiting.remove(0);
            self.machine.leaves(&self.rates, id, now);
        }
    }

    fn passes(&mut self, cost: u64) {
        self.passed = [self.passed[0] + 1, self.passed[1] + cost];
    }

    /// Does all that is to be done by now.
    fn acts(&mut self, naive: &mut NaiveStore, is_away: bool, replicas: u32, now: u64) {
        for _ in 0..1_000 {
            let step = self.tenant.step(&mut self.machine, &self.rates, self.passed, now);
            match step {
                TenantStep::Ask(_) if is_away => {
                    self.tenant.hears_nothing(&mut self.machine, &self.rates, self.passed, now);
                }
                TenantStep::Ask(ask) => {
                    let reply = naive.visit(&ask, replicas, now);
                    self.tenant.hears(&mut self.machine, &self.rates, &ask, reply, now);
                }
                TenantStep::Sleep(_) | TenantStep::Rest => {
                    self.looks(now);
                    return;
                }
            }
        }
        panic!("it asks and asks: {:?}", self.tenant);
    }

    fn looks(&mut self, now: u64) {
        for (id, cost) in std::mem::take(&mut self.waiting) {
            match self.machine.look(&self.rates, id, now) {
                Look::Decided(decision) => {
                    decision.expect("nobody minds to wait");
                    self.passes(cost);
                }
                Look::Waits(_) => self.waiting.push((id, cost)),
            }
        }
    }

    /// What it has of a rate, or is promised.
    fn has(&self, which: usize) -> i64 {
        self.rates.leases()[which].balance() + self.tenant.units(which)
    }
}

fn one_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        8 => (0..3_usize, 1..30_u64).prop_map(|(replica, cost)| Move::Call(replica, cost)),
        2 => (0..3_usize, 100..200_u64).prop_map(|(replica, cost)| Move::Call(replica, cost)),
        1 => (0..3_usize).prop_map(Move::GiveUp),
        6 => (1..400_u64).prop_map(|time| Move::Pass(time * MS)),
    ]
}

fn settings() -> PaceSettings {
    PaceSettings::from(Rate::per_second(50).burst(10)).cost(Rate::per_second(500).burst(100))
}

fn plays(moves: Vec<Move>) {
    let mut naive = NaiveStore::default();
    let mut replicas: Vec<_> = (0..3).map(|_| Replica::new(settings())).collect();
    let (mut now, limits) = (0, [(50.0, 10.0), (500.0, 200.0)]);
    let mut passes = |time: u64, replicas: &mut Vec<Replica>, naive: &mut NaiveStore| {
        let end = now + time;
        while now < end {
            now = end.min(now + 5 * MS);
            for replica in replicas.iter_mut() {
                replica.acts(naive, false, 3, now);
            }
            // All that was used, and all that is in somebody's hands, has been there once.
            for (which, (rate, most)) in limits.iter().enumerate() {
                let used: u64 = replicas.iter().map(|replica| replica.passed[which]).sum();
                let there = most + rate * now as f64 / 1e9;
                assert!(used as f64 <= there + 0.01, "{used} of {there} at {now}");
            }
        }
        now
    };
    let mut time = 0;
    for one in moves {
        match one {
            Move::Call(replica, cost) => replicas[replica].call(cost, time),
            Move::GiveUp(replica) => replicas[replica].gives_up(time),
            Move::Pass(span) => time = passes(span, &mut replicas, &mut naive),
        }
    }
    // Whoever waits has his turn, and then everything goes back.
    let waiting: u64 = replicas.iter().flat_map(|replica| &replica.waiting).map(|(_, cost)| 20 + cost / 5).sum();
    passes((waiting * 100 + 3_000) * MS, &mut replicas, &mut naive);
    let waiting: Vec<_> = replicas.iter().flat_map(|replica| &replica.waiting).collect();
    assert!(waiting.is_empty(), "nobody is forgotten: {waiting:?}");
    for which in 0..2 {
        assert!(replicas.iter().all(|replica| replica.has(which) == 0), "all that was left went back");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_replicas_use_was_there_and_what_they_do_not_use_goes_back(moves in vec(one_move(), 1..80)) {
        plays(moves);
    }
}

/// Drives replicas of which all have calls that wait, and says how many passed in each.
fn saturated(demands: &[u64], seconds: u64, away: impl Fn(usize, u64) -> bool) -> Vec<u64> {
    let rate = PaceSettings::from(Rate::per_second(100).burst(10)).queue(usize::MAX);
    let mut naive = NaiveStore::default();
    let mut replicas: Vec<_> = demands.iter().map(|_| Replica::new(rate)).collect();
    for now in (0..seconds * 1_000).map(|time| time * MS) {
        for (which, (replica, demand)) in replicas.iter_mut().zip(demands).enumerate() {
            while (replica.waiting.len() as u64) < *demand {
                replica.call(1, now);
                if replica.waiting.is_empty() {
                    break;
                }
            }
            replica.acts(&mut naive, away(which, now), demands.len() as u32, now);
        }
    }
    replicas.iter().map(|replica| replica.passed[0]).collect()
}

#[test]
fn replicas_that_want_all_have_equal_shares_and_the_rate_together() {
    let passed = saturated(&[20, 20, 20, 20], 30, |_, _| false);
    let all: u64 = passed.iter().sum();
    assert!((2_970..=3_030).contains(&all), "{passed:?}");
    assert!(passed.iter().all(|share| (710..=790).contains(share)), "{passed:?}");
}

#[test]
fn one_that_wants_all_has_what_the_others_leave() {
    let passed = saturated(&[50, 0, 0, 0], 30, |_, _| false);
    assert!((2_970..=3_030).contains(&passed[0]), "{passed:?}");
}

#[test]
fn what_was_sent_while_the_store_was_away_is_counted_when_it_is_back() {
    // For 700 ms of each 2 s, as on a machine that is too busy: for all of them, or for one after the other.
    let together = |_, now| now / MS % 2_000 < 700;
    let in_turn = |which, now| now / MS % 4_000 / 1_000 == which as u64 && now / MS % 1_000 < 300;
    for passed in [saturated(&[20; 4], 30, together), saturated(&[20; 4], 30, in_turn)] {
        let all: u64 = passed.iter().sum();
        assert!((2_600..=3_090).contains(&all), "{all}: {passed:?}");
    }
}

#[test]
fn a_store_that_is_away_is_not_asked_without_end() {
    let mut replica = Replica::new(settings());
    replica.call(1, 0);
    replica.machine.pauses(&replica.rates, 10_000 * MS, 0);
    let mut asked = 0;
    for now in (0..2_000).map(|time| time * MS) {
        while let TenantStep::Ask(_) = replica.tenant.step(&mut replica.machine, &replica.rates, [0; 2], now) {
            asked += 1;
            replica.tenant.hears_nothing(&mut replica.machine, &replica.rates, [0; 2], now);
        }
    }
    assert_eq!(asked, 4, "twice a second");
}
