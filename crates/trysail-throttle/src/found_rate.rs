use std::time::Duration;

use crate::{rate::Rate, time::nanos};

/// The rate of requests that a server is found to take, where it refuses some as too many: cut to less than what it has
/// answered, and raised a little every second.
#[derive(Debug, Default)]
pub(crate) struct FoundRate {
    rate: Option<Cut>,
    /// Answers since calls were slowed down the last time.
    answered: Option<Answered>,
    /// How often in a row nothing came through between two refusals.
    idle: u32,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    per_second: f64,
    at: u64,
}

#[derive(Clone, Copy, Debug)]
struct Answered {
    count: u64,
    since: u64,
}

impl FoundRate {
    /// Whether answers count.
    pub(crate) const fn is_watching(&self) -> bool {
        self.answered.is_some()
    }

    pub(crate) fn answered(&mut self) {
        if let Some(answered) = &mut self.answered {
            answered.count += 1;
        }
    }

    /// The server takes no more; says how long to ask for nothing, if it does not say so itself.
    pub(crate) fn cut(&mut self, now: u64) -> Duration {
        if let Some(Answered { count, since }) = self.answered {
            if count == 0 {
                // One call after the other is refused, and each of them makes the pause longer: that says nothing of a rate.
                self.idle = self.idle.saturating_add(1);
            } else {
                let found = count as f64 / seconds(since, now).max(0.001);
                let least = found.min(self.per_second(now).unwrap_or(found)) * DECREASE;
                self.rate = Some(Cut { per_second: least.max(LEAST), at: now });
                self.idle = 0;
            }
        }
        self.answered = Some(Answered { count: 0, since: now });
        PAUSE.saturating_mul(1 << self.idle.min(8)).min(MOST_PAUSE)
    }

    /// The rate now, unless it has not been cut for long.
    pub(crate) fn rate(&mut self, now: u64) -> Option<Rate> {
        if self.answered.is_some_and(|answered| seconds(answered.since, now) > FORGET.as_secs_f64()) {
            *self = Self::default();
        }
        let per_second = self.per_second(now)?;
        Some(Rate::new(1_000, Duration::from_secs_f64(1_000.0 / per_second)))
    }

    fn per_second(&self, now: u64) -> Option<f64> {
        let Cut { per_second, at } = self.rate?;
        Some(per_second + seconds(at, now) * (per_second * INCREASE).max(LEAST))
    }
}

fn seconds(since: u64, now: u64) -> f64 {
    now.saturating_sub(since) as f64 / nanos(Duration::from_secs(1)) as f64
}

const DECREASE: f64 = 0.9;
/// What is added in each second, as a part of the rate that it was cut to; at least one a minute.
const INCREASE: f64 = 0.003;
const LEAST: f64 = 1.0 / 60.0;
const PAUSE: Duration = Duration::from_secs(1);
const MOST_PAUSE: Duration = Duration::from_secs(20);
const FORGET: Duration = Duration::from_secs(600);
