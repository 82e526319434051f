use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use redis::RedisError;
use tokio::{
    pin,
    sync::Notify,
    time::{Instant, timeout, timeout_at},
};

use crate::{
    Pace,
    pace::PaceInner,
    redis::{
        ask::{Ask, Reply},
        connection::{CONNECT, Connection},
        name::Names,
        step::TenantStep,
        tenant::{Sent, Tenant},
    },
    trace,
};

/// Asks the store for one pace, as long as there is somebody who keeps it.
pub(super) struct Attendant {
    pace: Weak<PaceInner>,
    connection: Arc<Connection>,
    names: Names,
    bell: Arc<Notify>,
    replica: String,
    tenant: Tenant,
    /// It was told that the store is away.
    is_told: bool,
    is_over: bool,
}

/// Why a store is away.
enum Away {
    Slow,
    Failed(RedisError),
}

impl Attendant {
    pub(super) fn new(pace: &Pace, connection: Arc<Connection>, names: Names, bell: Arc<Notify>, number: u64) -> Self {
        // Of its own each time: who has left must not be taken for who comes.
        let replica = format!("{:016x}", RandomState::new().hash_one(Instant::now()));
        let pace = Arc::downgrade(&pace.inner);
        Self { pace, connection, names, bell, replica, tenant: Tenant::new(number), is_told: false, is_over: false }
    }

    pub(super) async fn run(mut self) {
        while let Some((step, until)) = self.step() {
            match step {
                TenantStep::Ask(ask) => self.asks(&ask).await,
                TenantStep::Sleep(_) => {
                    let _ = timeout_at(until, self.bell.notified()).await;
                }
                TenantStep::Rest => break,
            }
        }
        self.is_over = true;
        let _ = timeout(ROUND_TRIP, self.connection.ask(&self.names, &self.replica, &Ask::default())).await;
    }

    /// What is next, and when; `None` once the pace is gone.
    fn step(&mut self) -> Option<(TenantStep, Instant)> {
        let pace = self.pace()?;
        let sent = sent(&pace);
        let step = pace.change(|machine, rates, now| self.tenant.step(machine, rates, sent, now));
        let until = match step {
            TenantStep::Sleep(until) => pace.instant(until),
            TenantStep::Ask(_) | TenantStep::Rest => Instant::now(),
        };
        Some((step, until))
    }

    async fn asks(&mut self, ask: &Ask) {
        let connection = Arc::clone(&self.connection);
        let number = connection.number();
        let (names, replica) = (self.names.clone(), self.replica.clone());
        let answer = connection.ask(&names, &replica, ask);
        pin!(answer);
        let outcome = match timeout(ROUND_TRIP, answer.as_mut()).await {
            Ok(outcome) => outcome.map_err(Away::Failed),
            Err(_) if connection.is_up() => Err(Away::Slow),
            // To connect takes longer, which no call waits for.
            Err(_) => {
                self.goes_on_alone();
                timeout(CONNECT, answer).await.map_or(Err(Away::Slow), |outcome| outcome.map_err(Away::Failed))
            }
        };
        match outcome {
            Ok(reply) => self.hears(ask, reply),
            Err(away) => {
                if matches!(away, Away::Slow) {
                    connection.discard(number);
                }
                self.goes_on_alone();
                self.tells(&away);
            }
        }
    }

    fn hears(&mut self, ask: &Ask, reply: Reply) {
        let Some(pace) = self.pace() else { return };
        let news = pace.change(|machine, rates, now| self.tenant.hears(machine, rates, ask, reply, now));
        if let Some(news) = news {
            trace::told(pace.name(), news, || pace.snapshot());
        }
        if self.is_told {
            self.is_told = false;
            trace::shared(pace.name(), self.connection.address(), reply.replicas);
        }
    }

    fn goes_on_alone(&mut self) {
        if let Some(pace) = self.pace() {
            let sent = sent(&pace);
            pace.change(|machine, rates, now| self.tenant.hears_nothing(machine, rates, sent, now));
        }
    }

    fn tells(&mut self, away: &Away) {
        if let Some(pace) = self.pace().filter(|_| !self.is_told) {
            self.is_told = true;
            trace::alone(pace.name(), self.connection.address(), away, pace.snapshot().replicas());
        }
    }

    fn pace(&self) -> Option<Pace> {
        self.pace.upgrade().map(|inner| Pace { inner })
    }
}

/// Somebody else has to ask, if this one is stopped.
impl Drop for Attendant {
    fn drop(&mut self) {
        let Some(pace) = self.pace().filter(|_| !self.is_over) else { return };
        if thread::panicking() {
            self.goes_on_alone();
        } else {
            pace.change(|machine, _, _| self.tenant.leaves(machine));
        }
    }
}

fn sent(pace: &Pace) -> Sent {
    let spending = pace.snapshot().spending();
    let all = [spending.answered(), spending.failed(), spending.abandoned()];
    [all.iter().map(|spent| spent.attempts()).sum(), all.iter().map(|spent| spent.cost()).sum()]
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow => write!(f, "no answer within {ROUND_TRIP:?}"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// How long an answer may take.
const ROUND_TRIP: Duration = Duration::from_millis(50);
