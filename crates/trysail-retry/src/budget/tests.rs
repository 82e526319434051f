use std::time::Duration;

use proptest::{collection::vec, prelude::*};

use super::*;

/// What the budget promises, said plainly: floats, and a list of calls.
///
/// What there is no room for is forgotten when a retry is paid for, and when a tick of two seconds begins.
struct Naive {
    settings: Plain,
    balance: f64,
    /// Until when the free retries are in the balance.
    until: f64,
    /// When each call began, in ticks, as far as that was known.
    calls: Vec<u64>,
    uncounted: usize,
}

#[derive(Clone, Copy, Debug)]
struct Plain {
    ratio: f64,
    floor: u32,
}

impl Naive {
    fn new(settings: Plain) -> Self {
        Self { settings, balance: f64::from(settings.floor), until: 0.0, calls: Vec::new(), uncounted: 0 }
    }

    fn begin(&mut self, at: f64) {
        let last = self.calls.last().copied().unwrap_or(0);
        let count = self.calls.iter().filter(|call| **call == last).count();
        let reads = match count {
            ..16 => true,
            16..180 => count % 8 == 0,
            180.. => {
                self.uncounted += 1;
                self.uncounted % 8 == 1
            }
        };
        let tick = if reads { (at / 2.0) as u64 } else { last };
        if last < tick {
            (self.balance, self.until) = (self.filled(at), at);
        }
        if last < tick || count < 180 {
            self.calls.push(tick);
        }
    }

    /// What is left after paying `cost`, if that is not negative.
    fn left(&self, cost: f64, at: f64) -> f64 {
        self.filled(at) - cost
    }

    fn take(&mut self, cost: f64, at: f64) {
        (self.balance, self.until) = (self.filled(at) - cost, at);
    }

    fn deposit(&mut self, amount: f64) {
        let capacity = self.capacity(self.calls.last().copied().unwrap_or(0));
        self.balance = (self.balance + amount).min(capacity.max(self.balance));
    }

    fn filled(&self, at: f64) -> f64 {
        (self.balance + (at - self.until) / 14.0).min(self.capacity((at / 2.0) as u64))
    }

    /// The share of the calls of the last five ticks.
    fn capacity(&self, tick: u64) -> f64 {
        let seen = (0..5).filter_map(|age| tick.checked_sub(age));
        let calls: usize = seen.map(|tick| self.calls.iter().filter(|call| **call == tick).count()).sum();
        let Plain { ratio, floor } = self.settings;
        (ratio * calls as f64).clamp(f64::from(floor), (ratio * 180.0).max(3.0).max(f64::from(floor)))
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Begin(u16),
    Withdraw { throttled: bool },
    Succeed,
    GiveBack,
    Advance(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (1_u16..40).prop_map(Event::Begin),
        5 => any::<bool>().prop_map(|throttled| Event::Withdraw { throttled }),
        3 => Just(Event::Succeed),
        1 => Just(Event::GiveBack),
        2 => (1_u64..30_000).prop_map(Event::Advance),
    ];
    vec(event, 1..200)
}

fn plain() -> impl Strategy<Value = Plain> {
    (prop_oneof![Just(0.2), Just(0.0), Just(1.0), 0.0..2.0_f64], 0_u32..20).prop_map(|(ratio, floor)| {
        // As finely as the budget counts.
        Plain { ratio: (ratio * 10_000.0).round() / 10_000.0, floor }
    })
}

proptest! {
    #[test]
    fn it_decides_as_plain_floats_would(settings in plain(), events in events()) {
        let (epoch, mut ms) = (Instant::now(), 0);
        let budget = Budget::new(BudgetSettings::ratio(settings.ratio).floor(settings.floor));
        let mut naive = Naive::new(settings);
        budget.ms(epoch);
        let mut paid = Vec::new();
        for event in events {
            let (now, at) = (epoch + Duration::from_millis(ms), ms as f64 / 1_000.0);
            match event {
                Event::Advance(passes) => ms += passes,
                Event::Begin(calls) => (0..calls).for_each(|_| {
                    budget.begin(|| now);
                    naive.begin(at);
                }),
                Event::Withdraw { throttled } => {
                    let (verdict, cost) =
                        if throttled { (Verdict::THROTTLED, 0.5) } else { (Verdict::TRANSIENT, 1.0) };
                    let left = naive.left(cost, at);
                    let charge = budget.withdraw(verdict, now);
                    // Free parts come in steps of 14 ms, a thousandth of a retry each.
                    if left.abs() > 0.0015 {
                        prop_assert_eq!(charge.is_some(), left > 0.0, "{} left", left);
                    }
                    if let Some(charge) = charge {
                        naive.take(cost, at);
                        paid.push((charge, cost));
                    }
                }
                Event::Succeed => {
                    let (charge, cost) = paid.pop().unwrap_or_default();
                    budget.succeed(charge);
                    naive.deposit(settings.ratio + cost);
                }
                Event::GiveBack => {
                    if let Some((charge, cost)) = paid.pop() {
                        budget.give_back(charge);
                        naive.deposit(cost);
                    }
                }
            }
        }
    }

    #[test]
    fn the_balance_stays_between_nothing_and_the_room_there_is(settings in plain(), events in events()) {
        let (epoch, mut ms) = (Instant::now(), 0);
        let budget = Budget::new(BudgetSettings::ratio(settings.ratio).floor(settings.floor));
        budget.ms(epoch);
        let (least, most) = (f64::from(settings.floor), (settings.ratio * 180.0).max(3.0).max(f64::from(settings.floor)));
        for event in events {
            let now = epoch + Duration::from_millis(ms);
            match event {
                Event::Advance(passes) => ms += passes,
                Event::Begin(calls) => (0..calls).for_each(|_| {
                    let before = budget.at(now).capacity;
                    budget.begin(|| now);
                    assert!(budget.at(now).capacity >= before, "more calls never make less room");
                }),
                Event::Withdraw { .. } => drop(budget.withdraw(Verdict::TRANSIENT, now)),
                Event::Succeed => budget.succeed(Charge::default()),
                // More than anything that was taken.
                Event::GiveBack => budget.give_back(Charge { parts: u32::MAX, probe: false }),
            }
            let Balance { retries, capacity } = budget.at(now);
            prop_assert!((0.0..=capacity).contains(&retries), "{} of {}", retries, capacity);
            prop_assert!((least - 1e-9..=most + 1e-9).contains(&capacity), "{}", capacity);
        }
    }
}

/// How many retries there are at `now`.
fn granted(budget: &Budget, now: Instant) -> usize {
    (0..100).map_while(|_| budget.withdraw(Verdict::TRANSIENT, now)).count()
}

#[test]
fn nothing_is_saved_up_while_there_is_no_room_for_it() {
    let epoch = Instant::now();
    let (budget, later) = (Budget::default(), epoch + Duration::from_secs(3_600));
    budget.begin(|| epoch);
    (0..200).for_each(|_| budget.begin(|| later));
    assert_eq!(granted(&budget, later), 3, "the traffic of this second makes room, and nothing to put there");
}

#[test]
fn what_a_busy_hour_has_earned_is_gone_after_an_idle_one() {
    let epoch = Instant::now();
    let (budget, later) = (Budget::default(), epoch + Duration::from_secs(3_600));
    (0..200).for_each(|_| budget.begin(|| epoch));
    (0..200).for_each(|_| budget.succeed(Charge::default()));
    (0..200).for_each(|_| budget.begin(|| later));
    assert_eq!(granted(&budget, later), 3);
}

#[test]
fn any_settings_are_safe() {
    let now = Instant::now();
    for ratio in [0.0, f64::MIN_POSITIVE, 0.2, 1.0, 1e9, f64::MAX] {
        for floor in [0, 1, 3, 100, u32::MAX] {
            for (retry, throttled) in [(0.0, 0.0), (1.0, 0.5), (f64::NAN, -1.0), (f64::INFINITY, f64::MAX)] {
                let budget = Budget::new(BudgetSettings::ratio(ratio).floor(floor).costs(retry, throttled));
                for _ in 0..300 {
                    budget.begin(|| now);
                    budget.succeed(budget.withdraw(Verdict::THROTTLED, now).unwrap_or_default());
                }
                let Balance { retries, capacity } = budget.at(now);
                assert!((0.0..=capacity).contains(&retries));
            }
        }
    }
}

#[test]
#[should_panic(expected = "a ratio of retries is a finite number from 0 on")]
fn a_negative_ratio_is_no_ratio() {
    let _ = Budget::ratio(-1.0);
}
