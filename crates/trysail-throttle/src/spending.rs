use crate::{
    heard::Heard,
    sync::{AtomicU64, Ordering::Relaxed},
};

/// What calls have used up, by how they ended: a server counts those too that failed, or that nobody waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spending {
    answered: Spent,
    failed: Spent,
    abandoned: Spent,
}

/// How many calls were sent, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    attempts: u64,
    cost: u64,
}

/// The same while it is counted; on cache lines of its own, since every call writes it.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Purse {
    attempts: [AtomicU64; 3],
    cost: [AtomicU64; 3],
}

impl Spending {
    /// What was answered, for better or worse.
    pub const fn answered(&self) -> Spent {
        self.answered
    }

    /// What was throttled, failed, or came back as no usable answer.
    pub const fn failed(&self) -> Spent {
        self.failed
    }

    /// What was given up before there was an answer.
    pub const fn abandoned(&self) -> Spent {
        self.abandoned
    }
}

impl Spent {
    /// How many calls were sent, each attempt for itself.
    pub const fn attempts(self) -> u64 {
        self.attempts
    }

    /// What they cost, as the server has counted it or else as it was likely; known where there is a rate or something is learnt.
    pub const fn cost(self) -> u64 {
        self.cost
    }
}

impl Purse {
    pub(crate) fn new() -> Self {
        Self { attempts: [0; 3].map(AtomicU64::new), cost: [0; 3].map(AtomicU64::new) }
    }

    #[inline]
    pub(crate) fn spend(&self, cost: u64, outcome: Heard) {
        let how = match outcome {
            Heard::Unsent => return,
            outcome if outcome.is_answered() => 0,
            Heard::Abandoned => 2,
            _ => 1,
        };
        self.attempts[how].fetch_add(1, Relaxed);
        if cost > 0 {
            self.cost[how].fetch_add(cost, Relaxed);
        }
    }

    pub(crate) fn sum(&self) -> Spending {
        let [answered, failed, abandoned] = [0, 1, 2]
            .map(|how| Spent { attempts: self.attempts[how].load(Relaxed), cost: self.cost[how].load(Relaxed) });
        Spending { answered, failed, abandoned }
    }
}
