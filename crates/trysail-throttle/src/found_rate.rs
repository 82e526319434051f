use std::time::Duration;

use crate::{rate::Rate, time::nanos};

/// The rate that a server is found to take, where it refuses some calls as too many: of requests, or of what they cost if that
/// is more alike from one refusal to the next.
///
/// It is cut to a little less than what was answered, comes back to that, stays there for a while, and then rises faster and
/// faster: a limit that is still there is asked for seldom, and one that was raised is found soon.
#[derive(Debug, Default)]
pub(crate) struct FoundRate {
    cut: Option<Cut>,
    run: Option<Run>,
    /// What was answered in the last whole run, a second.
    last: Option<[f64; 2]>,
    /// By how much that differed from run to run, of late.
    differs: [f64; 2],
    unit: usize,
    /// How often in a row nothing came through between two refusals.
    idle: u32,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    per_second: f64,
    at: u64,
    /// After how many seconds it is back.
    back: f64,
}

/// From one refusal to another, so that what was answered is what the server had for that time. Of both units.
#[derive(Clone, Copy, Debug)]
struct Run {
    answered: [u64; 2],
    refused: u64,
    since: u64,
    /// How long nothing was asked.
    paused: Duration,
    /// How many requests were answered when one was refused the last time.
    seen: u64,
}

impl FoundRate {
    /// Whether answers count.
    pub(crate) const fn is_watching(&self) -> bool {
        self.run.is_some()
    }

    pub(crate) fn answered(&mut self, cost: u64) {
        if let Some(Run { answered: [requests, costs], .. }) = &mut self.run {
            *requests += 1;
            *costs = costs.saturating_add(cost);
        }
    }

    /// One of those was refused that are in flight when the server takes no more.
    pub(crate) fn refused(&mut self) {
        // Before there is a rate, these are many.
        if let Some(run) = self.run.as_mut().filter(|_| self.cut.is_some()) {
            run.refused += 1;
        }
    }

    /// The server takes no more; says how long to ask for nothing: as it says itself, or for longer each time.
    pub(crate) fn cut(&mut self, hint: Option<Duration>, now: u64) -> Duration {
        let next = Run { answered: [0; 2], refused: 1, since: now, paused: Duration::ZERO, seen: 0 };
        match self.run {
            None => self.run = Some(next),
            // One call after the other is refused, and each of them makes the pause longer: that says nothing of a rate.
            Some(run) if run.answered[0] == run.seen => self.idle = self.idle.saturating_add(1),
            Some(run) => {
                self.idle = 0;
                self.follow(run, now);
                self.run = Some(if run.is_whole() { next } else { Run { seen: run.answered[0], ..run } });
            }
        }
        let pause = hint.unwrap_or_else(|| PAUSE.saturating_mul(1 << self.idle.min(8)).min(MOST_PAUSE));
        if let Some(run) = &mut self.run {
            run.paused += pause;
        }
        pause
    }

    /// The rates of requests and of their cost now: one of them, or none if there was no cut for long.
    pub(crate) fn rates(&mut self, now: u64) -> [Option<Rate>; 2] {
        if self.run.is_some_and(|run| seconds(run.since, now) > FORGET.as_secs_f64()) {
            *self = Self::default();
        }
        let rate = self.cut.map(|cut| Rate::new(1_000, Duration::from_secs_f64(1_000.0 / cut.per_second(now))));
        if self.unit == 0 { [rate, None] } else { [None, rate] }
    }

    fn follow(&mut self, run: Run, now: u64) {
        let measured = run.per_second(now);
        let (before, unit) = (self.last, self.unit);
        if run.is_whole() {
            self.compare(measured);
        }
        let [measured_requests, _] = measured;
        // A run that begins or ends within a window of the server's may have had less than the server takes.
        let most = measured[self.unit].max(before.map_or(0.0, |last| last[self.unit]));
        let held = self.cut.filter(|_| self.unit == unit).map_or(most, |cut| cut.per_second(now));
        let least = most.min(held);
        let per_second = f64::midpoint(least, held).min(least * HIGHER);
        let rare = (ANSWERS * run.refused as f64 / measured_requests).clamp(LEAST_BACK, MOST_BACK);
        let asked = seconds(run.since, now) - run.paused.as_secs_f64();
        let known = (BELIEVED * asked).max(BELIEVED_ANSWER * run.answered[0] as f64);
        let back = rare.min(known).max(SHORTEST_BACK);
        self.cut = Some(Cut { per_second, at: now, back });
    }

    /// Takes the unit in which runs differ less, if that is clear.
    fn compare(&mut self, measured: [f64; 2]) {
        if let Some(last) = self.last {
            for (unit, differs) in self.differs.iter_mut().enumerate() {
                *differs = f64::midpoint(*differs, (measured[unit] / last[unit]).ln().abs());
            }
            let other = 1 - self.unit;
            if self.differs[other] < self.differs[self.unit] * CLEARLY {
                self.unit = other;
            }
        }
        self.last = Some(measured);
    }
}

impl Run {
    /// Whether it says enough to forget it for the next.
    const fn is_whole(&self) -> bool {
        self.answered[0] >= ENOUGH
    }

    fn per_second(&self, now: u64) -> [f64; 2] {
        let time = seconds(self.since, now).max(0.001);
        self.answered.map(|count| (count as f64 / time).max(LEAST))
    }
}

impl Cut {
    fn per_second(&self, now: u64) -> f64 {
        let beyond = seconds(self.at, now) / self.back - 1.0;
        self.per_second * (1.0 + DECREASE * beyond.powi(3))
    }
}

fn seconds(since: u64, now: u64) -> f64 {
    now.saturating_sub(since) as f64 / nanos(Duration::from_secs(1)) as f64
}

const DECREASE: f64 = 0.15;
/// By how much more than what was answered may be asked for again, at the most.
const HIGHER: f64 = 1.05;
const CLEARLY: f64 = 0.5;
/// How many answers make a whole run.
const ENOUGH: u64 = 20;
/// Over how many answers the rate comes back, for each call that was refused; in so many seconds.
const ANSWERS: f64 = 50.0;
const LEAST_BACK: f64 = 30.0;
const MOST_BACK: f64 = 90.0;
/// For how many times as long as the server was asked a rate is believed, or for so many seconds with each answer.
const BELIEVED: f64 = 4.0;
const BELIEVED_ANSWER: f64 = 0.2;
const SHORTEST_BACK: f64 = 5.0;
const LEAST: f64 = 1.0 / 60.0;
const PAUSE: Duration = Duration::from_secs(1);
const MOST_PAUSE: Duration = Duration::from_secs(20);
const FORGET: Duration = Duration::from_secs(600);
