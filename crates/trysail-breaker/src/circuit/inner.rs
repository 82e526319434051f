use std::{
    sync::{OnceLock, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use crate::{
    changes::Change,
    machine::StateMachine,
    settings::CircuitSettings,
    snapshot::Snapshot,
    sync::{AtomicU8, AtomicU64, Mutex, MutexGuard},
    window::{Counts, SlidingWindow, WindowLength},
};

/// What all handles share; on cache lines of its own, apart from the count of the handles. What every call reads is on
/// the first, apart from what calls write.
#[repr(C, align(128))]
pub(crate) struct CircuitInner {
    pub(crate) state: AtomicU64,
    /// From when on a success may open it.
    pub(crate) look_at_ms: AtomicU64,
    pub(crate) slow_from_ms: AtomicU64,
    pub(crate) abandoned_after_ms: AtomicU64,
    pub(crate) epoch: Instant,
    /// What outcomes are for, besides streaks.
    uses: AtomicU8,
    pub(super) listeners: OnceLock<Box<Listeners>>,
    pub(crate) failures: SlidingWindow,
    pub(crate) slow: SlidingWindow,
    machine: Mutex<StateMachine>,
}

/// Who hears of a circuit, and under which name.
#[derive(Default)]
pub(crate) struct Listeners {
    pub(super) changes: OnceLock<watch::Sender<Change>>,
    /// Those who wait until calls may pass.
    pub(super) waiting: OnceLock<std::sync::Arc<Notify>>,
    pub(super) name: OnceLock<Box<str>>,
}

impl CircuitInner {
    pub(super) fn new(settings: CircuitSettings, machine: StateMachine, epoch: Instant) -> Self {
        let inner = Self {
            state: AtomicU64::new(0),
            look_at_ms: AtomicU64::new(u64::MAX),
            slow_from_ms: AtomicU64::new(u64::MAX),
            abandoned_after_ms: AtomicU64::new(u64::MAX),
            epoch,
            uses: AtomicU8::new(0),
            listeners: OnceLock::new(),
            failures: SlidingWindow::new(settings.trip.sample.length),
            slow: SlidingWindow::new(settings.trip.sample.length),
            machine: Mutex::new(machine),
        };
        inner.follow(settings);
        inner.publish(&inner.lock());
        inner
    }

    /// Notes what calls need to know of the settings without a lock.
    pub(super) fn follow(&self, settings: CircuitSettings) {
        let trip = settings.trip;
        self.slow_from_ms.store(trip.slow.map_or(u64::MAX, |slow| ms_up(slow.from)), Relaxed);
        self.abandoned_after_ms.store(settings.abandoned_after.map_or(u64::MAX, ms_up), Relaxed);
        let by_time = matches!(trip.sample.length, WindowLength::Time(_));
        let uses = [
            (trip.failing.is_some(), FAILURES),
            (trip.slow.is_some(), SLOW),
            (settings.count_throttled, THROTTLED),
            (trip.slow.is_some() || (trip.failing.is_some() && by_time), CLOCK),
        ];
        self.uses.store(uses.iter().filter(|(used, _)| *used).fold(0, |uses, (_, bit)| uses | bit), Relaxed);
    }

    pub(super) fn listeners(&self) -> &Listeners {
        self.listeners.get_or_init(Box::default)
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.listeners.get()?.name.get().map(|name| &**name)
    }

    /// How many calls there were, and how many of these failed and were slow.
    pub(crate) fn counts(&self, generation: u32, now: Instant) -> (Counts, Counts) {
        let counts = |window: &SlidingWindow, bit| match self.uses(bit) {
            true => window.counts(self.ms(now), generation),
            false => Counts::default(),
        };
        (counts(&self.failures, FAILURES), counts(&self.slow, SLOW))
    }

    pub(super) fn snapshot(&self, machine: &StateMachine, now: Instant) -> Snapshot {
        let (failures, slow) = self.counts(machine.generation(), now);
        Snapshot::of(machine, failures, slow, now)
    }

    #[inline]
    pub(crate) fn uses(&self, bits: u8) -> bool {
        self.uses.load(Relaxed) & bits != 0
    }

    pub(crate) fn ms(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.epoch);
        // No clock runs for as long as this would overflow.
        passed.as_secs() * 1_000 + u64::from(passed.subsec_millis())
    }

    /// The first millisecond that is not before `then`.
    pub(super) fn whole_ms(&self, then: Instant) -> u64 {
        ms_up(then.saturating_duration_since(self.epoch))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, StateMachine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn ms(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000).saturating_add(time.subsec_millis().into())
}

/// In whole milliseconds, of which a part counts as one.
fn ms_up(time: Duration) -> u64 {
    ms(time.saturating_add(Duration::from_nanos(999_999)))
}

pub(crate) const FAILURES: u8 = 1;
pub(crate) const SLOW: u8 = 2;
pub(crate) const THROTTLED: u8 = 4;
/// Some rate needs to know when a call ends.
pub(crate) const CLOCK: u8 = 8;
