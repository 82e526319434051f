use std::{collections::VecDeque, time::Duration};

use crate::{
    decision::News,
    lease::Lease,
    machine::Machine,
    rates::Rates,
    redis::{
        ask::{Ask, Claim, Reply},
        pauses::{pause, pauses},
        step::TenantStep,
    },
    sharing::Store,
    time::{nanos, signed},
};

/// Decides for one replica when the store is asked for what. Times are nanoseconds of the pace's clock.
#[derive(Debug, Default)]
pub(super) struct Tenant {
    /// What was granted for later, in that order.
    coming: VecDeque<Grant>,
    asked_at: Option<u64>,
    /// What was sent when it was last looked, and when something was sent or wanted last.
    seen: Sent,
    active_at: u64,
    balances: [i64; 2],
    /// What had been sent when the store was last heard of, if it is away.
    since: Option<Sent>,
    /// Which one it is of those who ask; only the last one does.
    number: u64,
}

/// Requests and cost since the pace was made.
pub(super) type Sent = [u64; 2];

#[derive(Clone, Copy, Debug)]
struct Grant {
    at: u64,
    units: [i64; 2],
    worth: [i64; 2],
}

impl Tenant {
    pub(super) fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    /// It asks no more, unless somebody else does already.
    pub(super) const fn leaves(&self, machine: &mut Machine) {
        machine.sharing.is_unattended |= self.is_last(machine);
    }

    /// Hands out what has come, and says what is next; `sent` is all that was sent by now.
    pub(super) fn step(&mut self, machine: &mut Machine, rates: &Rates, sent: Sent, now: u64) -> TenantStep {
        if !self.is_last(machine) {
            return TenantStep::Rest;
        }
        machine.sharing.attended_at = now;
        self.hand_out(machine, rates, now);
        let is_due = self.asked_at.is_none_or(|at| now >= at.saturating_add(self.beat(machine)));
        let is_idle = machine.queue.is_empty() && sent == self.seen;
        if !is_idle || self.asked_at.is_none() {
            self.active_at = now;
        }
        self.seen = sent;
        if is_due && is_idle && self.is_done(rates) && now >= self.active_at.saturating_add(nanos(REST)) {
            self.leaves(machine);
            return TenantStep::Rest;
        }
        let mut claims = self.claims(machine, rates, sent, now);
        let pause = pause(machine, now);
        let is_news = pause.is_some() && machine.sharing.is_shared();
        if !is_due && !is_news && claims.iter().all(|claim| claim.units == 0) {
            machine.sharing.sleeps = machine.queue.is_empty();
            return TenantStep::Sleep(self.wakes_at(machine, rates, now));
        }
        if is_due && is_idle {
            self.gives_back(rates, &mut claims);
        }
        for (claim, lease) in claims.iter_mut().zip(rates.leases()) {
            claim.floor = claim.floor.max(lease.take_floor().saturating_sub(now));
        }
        machine.sharing.paused_until = machine.paused_until;
        self.asked_at = Some(now);
        TenantStep::Ask(Ask { lives: nanos(LIVES), pause, claims })
    }

    /// The store has answered.
    pub(super) fn hears(
        &mut self,
        machine: &mut Machine,
        rates: &Rates,
        ask: &Ask,
        reply: Reply,
        now: u64,
    ) -> Option<News> {
        if !self.is_last(machine) {
            return None;
        }
        let Reply { replicas, paused, wait, spare } = reply;
        let is_news = machine.sharing.known != replicas || !machine.sharing.is_shared();
        machine.sharing.known = replicas;
        machine.sharing.store = Store::Shared;
        self.since = None;
        if is_news {
            machine.follow(rates, now);
        }
        if ask.claims.iter().any(|claim| claim.units > 0) {
            let of = |get: fn(&Claim) -> i64| [get(&ask.claims[0]), get(&ask.claims[1])];
            let (units, worth) = (of(|claim| claim.units), of(|claim| claim.take));
            self.coming.push_back(Grant { at: now.saturating_add(wait), units, worth });
        }
        for (which, lease) in rates.leases().into_iter().enumerate() {
            let Claim { units, one, .. } = ask.claims[which];
            if units > 0 {
                // Others wait as well, if one takes longer to come than it takes to refill.
                let here = (wait as f64 / units as f64).clamp(one, one * f64::from(replicas.max(1)));
                lease.foretells(spare[which], here);
            } else if spare[which] > 0 {
                lease.foretells(spare[which], one);
            }
        }
        let news = pauses(machine, rates, paused, now);
        self.hand_out(machine, rates, now);
        if news.is_some() || machine.is_first_late(rates, now) {
            machine.sweep(rates, now);
        }
        news
    }

    /// The store has not answered.
    pub(super) fn hears_nothing(&mut self, machine: &mut Machine, rates: &Rates, sent: Sent, now: u64) {
        if !self.is_last(machine) {
            return;
        }
        self.coming.clear();
        self.since.get_or_insert(sent);
        machine.sharing.store = Store::Alone;
        // It may not have heard of the pause.
        machine.sharing.paused_until = 0;
        machine.follow(rates, now);
        machine.grant(rates, now);
    }

    const fn is_last(&self, machine: &Machine) -> bool {
        machine.sharing.attendant == self.number
    }

    fn hand_out(&mut self, machine: &mut Machine, rates: &Rates, now: u64) {
        let due = self.coming.iter().take_while(|grant| grant.at <= now).count();
        for grant in self.coming.drain(..due) {
            rates.leases().into_iter().zip(grant.units).for_each(|(lease, units)| lease.add(units));
        }
        machine.grant(rates, now);
        for (which, lease) in rates.leases().into_iter().enumerate() {
            lease.expects(self.units(which), self.coming.back().map_or(0, |grant| grant.at));
        }
    }

    /// What is needed of each rate: the next lease, if those who wait need more than is there and comes.
    fn claims(&self, machine: &Machine, rates: &Rates, sent: Sent, now: u64) -> [Claim; 2] {
        let limits = machine.limits();
        let may_ask = self.coming.back().is_none_or(|grant| grant.at < now.saturating_add(nanos(AHEAD)));
        [0, 1].map(|which| {
            let lease = rates.leases()[which];
            if !lease.is_on() {
                return Claim::alone(
                    limits[which],
                    self.since.map_or(0, |since| sent[which].saturating_sub(since[which])),
                );
            }
            let (one, depth) = lease.rate();
            let share = (nanos(LEASE) as f64 / one / f64::from(machine.sharing.replicas())) as u64;
            let units = match self.needs(machine, lease, which) {
                Some((first, owed)) if may_ask => signed(first.max(share)).saturating_add(owed),
                _ => 0,
            };
            Claim { depth, one, units, take: taken(units, one), ..Claim::default() }
        })
    }

    /// What nobody has used or wanted for a while; and what is owed.
    fn gives_back(&mut self, rates: &Rates, claims: &mut [Claim; 2]) {
        let balances = rates.leases().map(|lease| lease.balance());
        if balances == self.balances {
            for (claim, lease) in claims.iter_mut().zip(rates.leases()) {
                let balance = lease.take_back();
                claim.units = (-lease.balance()).max(0);
                claim.take = taken(claim.units - balance, claim.one);
            }
            for grant in std::mem::take(&mut self.coming) {
                claims.iter_mut().zip(grant.worth).for_each(|(claim, worth)| claim.take -= worth);
            }
        }
        self.balances = balances;
    }

    fn wakes_at(&self, machine: &Machine, rates: &Rates, now: u64) -> u64 {
        let beat = self.asked_at.map_or(now, |at| at.saturating_add(self.beat(machine)));
        let next = self.coming.front().map_or(u64::MAX, |grant| grant.at);
        let ask = self.coming.back().map_or(u64::MAX, |grant| grant.at.saturating_sub(nanos(AHEAD)));
        let leases = rates.leases().into_iter().enumerate();
        let ask =
            leases.filter_map(|(which, lease)| self.needs(machine, lease, which)).next().map_or(u64::MAX, |_| ask);
        beat.min(next).min(ask).max(now)
    }

    /// What the first of those who wait needs of one rate, and what is owed of it already, if they have to wait for a lease of it.
    fn needs(&self, machine: &Machine, lease: &Lease, which: usize) -> Option<(u64, i64)> {
        let (first, all) = (machine.queue.first()?, machine.queue.all());
        let (first, demand) = [(1, all.count), (first.cost, all.cost)][which];
        let has = lease.balance().saturating_add(self.units(which));
        // Something else holds the first, where there is enough for it.
        let lacks = lease.is_on() && lease.balance() < signed(first) && has < signed(demand);
        lacks.then(|| (first, has.min(0).saturating_neg()))
    }

    fn beat(&self, machine: &Machine) -> u64 {
        nanos(if machine.sharing.is_shared() { BEAT } else { PROBE })
    }

    fn is_done(&self, rates: &Rates) -> bool {
        self.coming.is_empty() && rates.leases().iter().all(|lease| !lease.is_on() || lease.balance() == 0)
    }

    /// How much of one rate is still to come.
    fn units(&self, which: usize) -> i64 {
        self.coming.iter().map(|grant| grant.units[which]).fold(0, i64::saturating_add)
    }
}

fn taken(units: i64, one: f64) -> i64 {
    (units as f64 * one) as i64
}

/// What a lease is worth of a replica's share.
const LEASE: Duration = Duration::from_millis(100);
/// How long before a lease begins the next one is asked for.
const AHEAD: Duration = Duration::from_millis(50);
/// How often the store is asked at least, and how often while it is away.
const BEAT: Duration = Duration::from_millis(250);
const PROBE: Duration = Duration::from_millis(500);
/// For how long a replica counts that is not heard of any more.
const LIVES: Duration = Duration::from_millis(900);
/// After how long without a call a replica leaves.
const REST: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
