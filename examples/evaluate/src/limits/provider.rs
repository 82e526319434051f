use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{self, Instant};
use trysail::{
    Failure, Verdict,
    verdict::{Allowance, Quota},
};

pub(super) type Judged = Failure<(), io::Error>;

/// What a provider allows in a minute, and how it counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) requests: f64,
    pub(super) tokens: f64,
    pub(super) counted: Counted,
    /// What becomes of the limits after half of the time.
    pub(super) changes: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Counted {
    /// Buckets that refill evenly, and hold what so many seconds bring.
    Bucket(f64),
    /// Windows of a minute, one after the other.
    Fixed,
    /// The last minute.
    Sliding,
}

/// What an answer says beside itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Nothing,
    /// What is left, as headers do.
    Left,
}

/// A provider with an account, shared by all who hold its key.
#[derive(Clone, Debug)]
pub(super) struct Provider(Arc<Mutex<Account>>);

#[derive(Debug)]
struct Account {
    limits: Limits,
    says: Says,
    meters: [Meter; 2],
    began: Instant,
    /// How many of its seconds pass in one of the clock's.
    pace: f64,
    seen: Seen,
}

/// What came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) requests: u64,
    pub(super) refused: u64,
    pub(super) tokens: f64,
}

#[derive(Debug)]
struct Meter {
    minute: f64,
    used: f64,
    at: f64,
    log: VecDeque<(f64, f64)>,
}

impl Provider {
    pub(super) fn new(limits: Limits, says: Says, pace: f64) -> Self {
        let meters = [limits.requests, limits.tokens].map(Meter::new);
        let (began, seen) = (Instant::now(), Seen::default());
        Self(Arc::new(Mutex::new(Account { limits, says, meters, began, pace, seen })))
    }

    pub(super) fn seen(&self) -> Seen {
        self.account().seen
    }

    /// Answers a request of so many tokens after a quarter of a second, if there was enough of both when it came.
    pub(super) async fn ask(self, tokens: u64) -> Result<Allowance, Judged> {
        let (answer, pace) = {
            let mut account = self.account();
            (account.asked(tokens), account.pace)
        };
        time::sleep(Duration::from_millis(250).div_f64(pace)).await;
        answer
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn asked(&mut self, tokens: u64) -> Result<Allowance, Judged> {
        let (now, counted) = (self.began.elapsed().as_secs_f64() * self.pace, self.limits.counted);
        let factor = if now >= super::SECONDS / 2.0 { self.limits.changes } else { 1.0 };
        self.seen.requests += 1;
        let wants = [1.0, tokens as f64];
        for (meter, minute) in self.meters.iter_mut().zip([self.limits.requests, self.limits.tokens]) {
            meter.minute = minute * factor;
            meter.pass(counted, now);
        }
        if self.meters.iter().zip(wants).any(|(meter, units)| meter.used + units > meter.most(counted)) {
            self.seen.refused += 1;
            return Err(Failure::Response { verdict: Verdict::THROTTLED, status: Some(429), response: () });
        }
        self.meters.iter_mut().zip(wants).for_each(|(meter, units)| meter.take(units, now));
        self.seen.tokens += tokens as f64;
        let [requests, cost] = self.meters.each_ref().map(|meter| meter.left(counted, now));
        Ok(match self.says {
            Says::Nothing => Allowance::default(),
            Says::Left => Allowance { requests, cost },
        })
    }
}

impl Meter {
    const fn new(minute: f64) -> Self {
        Self { minute, used: 0.0, at: 0.0, log: VecDeque::new() }
    }

    const fn most(&self, counted: Counted) -> f64 {
        match counted {
            Counted::Bucket(seconds) => (self.minute * seconds / MINUTE).max(1.0),
            Counted::Fixed | Counted::Sliding => self.minute,
        }
    }

    fn pass(&mut self, counted: Counted, now: f64) {
        match counted {
            Counted::Bucket(_) => self.used = (self.used - (now - self.at) * self.minute / MINUTE).max(0.0),
            Counted::Fixed if (now / MINUTE) as u64 != (self.at / MINUTE) as u64 => self.used = 0.0,
            Counted::Fixed => {}
            Counted::Sliding => {
                while let Some(&(_, units)) = self.log.front().filter(|(at, _)| at + MINUTE <= now) {
                    self.used -= units;
                    self.log.pop_front();
                }
            }
        }
        self.at = now;
    }

    fn take(&mut self, units: f64, now: f64) {
        self.used += units;
        self.log.push_back((now, units));
    }

    fn left(&self, counted: Counted, now: f64) -> Option<Quota> {
        let left = self.most(counted) - self.used;
        let reset = match counted {
            Counted::Bucket(_) => self.used * MINUTE / self.minute,
            Counted::Fixed => MINUTE - now % MINUTE,
            Counted::Sliding => self.log.front().map_or(0.0, |(at, _)| at + MINUTE - now),
        };
        let quota = Quota::new(self.minute as u64, left as u64, Duration::from_secs(60))?;
        Some(quota.reset(Duration::from_secs_f64(reset)))
    }
}

const MINUTE: f64 = 60.0;
