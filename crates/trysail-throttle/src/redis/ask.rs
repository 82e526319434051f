use redis::{Script, ScriptInvocation};

use crate::{gcra::worth, rate::Rate, redis::name::Names};

/// What a replica says to the store, and asks of it. Times are nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Ask {
    /// For how long the replica counts from now on.
    pub(super) lives: u64,
    pub(super) pause: Option<Pause>,
    /// Of requests and of cost.
    pub(super) claims: [Claim; 2],
}

/// What is new about a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    For(u64),
    Lifted,
}

/// What is asked for of one rate, in the time that this takes to refill.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Claim {
    /// Of the whole bucket; zero without a rate.
    pub(super) depth: u64,
    /// Of one unit.
    pub(super) one: f64,
    /// What was sent without asking.
    pub(super) sent: u64,
    /// For how long it is not full.
    pub(super) floor: u64,
    /// What is taken, or given back.
    pub(super) take: i64,
    /// What is taken, in units.
    pub(super) units: i64,
}

/// What the store says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) replicas: u32,
    /// For how long nobody asks.
    pub(super) paused: u64,
    /// After how long what was taken may be used.
    pub(super) wait: u64,
    /// What is left of both rates.
    pub(super) spare: [u64; 2],
}

impl Ask {
    pub(super) fn of<'a>(&self, script: &'a Script, names: &Names, replica: &str) -> ScriptInvocation<'a> {
        let pause = match self.pause {
            None => 0.0,
            Some(Pause::For(time)) => micros(time),
            Some(Pause::Lifted) => -1.0,
        };
        let mut call = script.key(&*names.pace);
        call.key(&*names.replicas).arg(replica).arg(micros(self.lives)).arg(pause);
        for Claim { depth, one, sent, floor, take, .. } in self.claims {
            call.arg(micros(depth)).arg(one / MICRO).arg(micros(sent)).arg(micros(floor)).arg(take as f64 / MICRO);
        }
        call
    }
}

impl Reply {
    pub(super) fn read(values: [i64; 5]) -> Self {
        let [replicas, paused, wait, requests, cost] = values;
        let nanos = |micros: i64| u64::try_from(micros).unwrap_or(0).saturating_mul(MICRO as u64);
        Self {
            replicas: u32::try_from(replicas).unwrap_or(1),
            paused: nanos(paused),
            wait: nanos(wait),
            spare: [nanos(requests), nanos(cost)],
        }
    }
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / MICRO
}

const MICRO: f64 = 1_000.0;

impl Claim {
    /// What is said of a limit that this replica keeps by itself. Nobody knows what others have sent meanwhile: no burst is left.
    pub(super) fn alone(limit: Option<Rate>, sent: u64) -> Self {
        limit.map_or_else(Self::default, |limit| {
            let (one, depth) = (limit.interval(), limit.depth());
            Self { depth, one, sent: worth(sent, one), floor: depth.saturating_sub(one as u64), ..Self::default() }
        })
    }
}
