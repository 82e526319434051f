use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError},
    task::Waker,
    time::Duration,
};

use tokio::time::Instant;
use trysail_core::{Allowance, Held, Lesson};

use crate::{
    decision::Arrival,
    fare::Fare,
    heard::Heard,
    machine::Machine,
    queue::Want,
    rates::Rates,
    settings::PaceSettings,
    snapshot::PaceSnapshot,
    spending::Purse,
    sync::{
        AtomicU64, Mutex, MutexGuard,
        Ordering::{Acquire, Release},
    },
    time::nanos,
    trace,
};

/// The pace that all callers of a key keep: the shared handle to watch and to set it, from any thread, at any time.
///
/// Clones are the same pace, and so are all services made by one [`ThrottleLayer`](crate::ThrottleLayer).
#[derive(Clone)]
pub struct Pace {
    inner: Arc<PaceInner>,
}

/// On cache lines of its own, apart from the count of the handles.
#[repr(C, align(128))]
struct PaceInner {
    /// What a call needs to know without a lock: what it must mind, and the epoch. Written under the machine's lock.
    word: AtomicU64,
    rates: Rates,
    purse: Purse,
    epoch: Instant,
    name: OnceLock<Box<str>>,
    machine: Mutex<Machine>,
}

/// What becomes of a call.
pub(crate) enum Passage {
    Passes(Fare),
    /// It waits, under this number.
    Waits(u64),
    Refused(Held),
}

impl Pace {
    /// A pace that is set so, by a [`Rate`](crate::Rate) of requests or all of [`PaceSettings`].
    pub fn new(settings: impl Into<PaceSettings>) -> Self {
        let settings = settings.into();
        let pace = Self {
            inner: Arc::new(PaceInner {
                word: AtomicU64::new(0),
                rates: Rates::new(),
                purse: Purse::new(),
                epoch: Instant::now(),
                name: OnceLock::new(),
                machine: Mutex::new(Machine::new(settings)),
            }),
        };
        pace.set(settings);
        pace
    }

    /// A pace that events call by this name.
    pub fn named(name: impl Into<Box<str>>, settings: impl Into<PaceSettings>) -> Self {
        let pace = Self::new(settings);
        let _ = pace.inner.name.set(name.into());
        pace
    }

    /// What events call it.
    pub fn name(&self) -> Option<&str> {
        self.inner.name.get().map(|name| &**name)
    }

    /// How it is set now.
    pub fn settings(&self) -> PaceSettings {
        self.lock().settings
    }

    /// Sets it anew, for all its handles, from now on. Those who wait keep their places; who would have to wait for too long
    /// now is refused. What has been used of a rate stays used.
    pub fn set(&self, settings: PaceSettings) {
        self.update(|_| settings);
    }

    /// Sets it to what `change` makes of its settings, under its lock.
    pub fn update(&self, change: impl FnOnce(PaceSettings) -> PaceSettings) {
        self.change(|machine, rates, now| machine.set(rates, change(machine.settings), now));
    }

    /// Forgets what the server has said: pauses, refusals of a credential, a rate that was found. For when a key was changed
    /// or an account was filled.
    pub fn reset(&self) {
        self.change(Machine::reset);
    }

    /// Everything there is to know about it now.
    pub fn snapshot(&self) -> PaceSnapshot {
        let now = self.now();
        PaceSnapshot::of(&mut self.lock(), &self.inner.rates, self.inner.purse.sum(), now)
    }

    /// Whether nobody else holds it, and it has nothing to remember.
    pub(crate) fn is_idle(&self) -> bool {
        let now = self.now();
        let machine = self.lock();
        Arc::strong_count(&self.inner) == 1
            && !(machine.is_gated(now) || machine.minds_success())
            && self.inner.rates.are_full(now)
    }

    /// Names it as `Debug` shows `key` (a text without its quotes), unless it has a name.
    pub(crate) fn name_by(&self, key: &dyn fmt::Debug) {
        self.inner.name.get_or_init(|| format!("{key:?}").trim_matches('"').into());
    }

    /// Takes what a call needs, whose cost and longest wait `want` says if that matters.
    #[inline]
    pub(crate) fn admit(&self, want: impl FnOnce() -> (u64, Option<Duration>)) -> Passage {
        let word = self.inner.word.load(Acquire);
        let epoch = (word >> EPOCH_AT) as u32;
        if word & (RATES | GATE) == 0 {
            return Passage::Passes(Fare { epoch, ..Fare::default() });
        }
        let (cost, most) = want();
        let now = self.now();
        if word & GATE == 0 && self.inner.rates.take(cost, now).is_ok() {
            return Passage::Passes(self.inner.rates.fare(cost, epoch, now));
        }
        let until = most.map_or(u64::MAX, |most| now.saturating_add(nanos(most)));
        self.enter(Want { cost, until })
    }

    /// A call has taught what the server allows, and what it has cost.
    #[inline]
    pub(crate) fn learn(&self, fare: Fare, lesson: Lesson) {
        if lesson != Lesson::default() {
            self.learn_lesson(fare, lesson);
        }
    }

    /// A call has ended; the server may have counted what it cost.
    #[inline]
    pub(crate) fn settle(&self, fare: Fare, outcome: Heard, actual: Option<u64>) {
        self.inner.purse.spend(actual.unwrap_or(fare.cost), outcome);
        let is_special = fare.is_counted || fare.is_limited || fare.is_probe;
        let is_minded = match outcome {
            Heard::Success | Heard::Answered => is_special || self.inner.word.load(Acquire) & WATCH != 0,
            Heard::Failed | Heard::Silence | Heard::Abandoned => is_special,
            Heard::Throttled(_) | Heard::Shut(_) | Heard::Unsent => true,
        };
        if is_minded {
            self.settle_minded(fare, outcome);
        }
    }

    #[cold]
    fn enter(&self, want: Want) -> Passage {
        match self.change(|machine, rates, now| machine.enter(rates, want, now)) {
            Arrival::Passes(fare) => Passage::Passes(fare),
            Arrival::Waits(id) => Passage::Waits(id),
            Arrival::Refused(held) => Passage::Refused(held),
        }
    }

    #[inline(never)]
    fn learn_lesson(&self, fare: Fare, lesson: Lesson) {
        if let Some(actual) = lesson.cost {
            self.inner.rates.correct(fare, actual);
        }
        if lesson.allowance != Allowance::default() {
            self.change(|machine, rates, now| machine.learn(rates, fare, lesson.allowance, now));
        }
    }

    #[cold]
    fn settle_minded(&self, fare: Fare, outcome: Heard) {
        if let Some(event) = self.change(|machine, rates, now| machine.settle(rates, fare, outcome, now)) {
            trace::told(self.name(), event, || self.snapshot());
        }
    }

    /// Works on the machine, publishes what calls need to know of it, and wakes whoever has to be.
    pub(crate) fn change<T>(&self, work: impl FnOnce(&mut Machine, &Rates, u64) -> T) -> T {
        let mut machine = self.lock();
        // Read under the lock, so that the machine sees no time before the last.
        let now = self.now();
        let done = work(&mut machine, &self.inner.rates, now);
        let flags =
            [(self.inner.rates.are_set(), RATES), (machine.is_gated(now), GATE), (machine.minds_success(), WATCH)];
        let flags = flags.iter().filter(|(is_so, _)| *is_so).fold(0, |flags, (_, bit)| flags | bit);
        self.inner.word.store(u64::from(machine.epoch) << EPOCH_AT | flags, Release);
        let wakers = machine.queue.wakers();
        drop(machine);
        wakers.into_iter().for_each(Waker::wake);
        done
    }

    /// That time of the pace's clock.
    pub(crate) fn instant(&self, nanos: u64) -> Instant {
        self.inner.epoch + Duration::from_nanos(nanos)
    }

    fn now(&self) -> u64 {
        nanos(Instant::now().saturating_duration_since(self.inner.epoch))
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.inner.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without rates.
impl Default for Pace {
    fn default() -> Self {
        Self::new(PaceSettings::new())
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pace").field(&self.name()).field(&self.snapshot()).finish()
    }
}

/// There are rates.
const RATES: u64 = 1;
/// Calls have to ask the machine.
const GATE: u64 = 2;
/// The machine minds successes.
const WATCH: u64 = 4;
const EPOCH_AT: u32 = 8;
