use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError},
    task::Waker,
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    link::Link,
    machine::Machine,
    rates::Rates,
    settings::PaceSettings,
    sharing::Store,
    snapshot::PaceSnapshot,
    spending::Purse,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering::Release},
    time::nanos,
};

/// The pace that all callers of a key keep: the shared handle to watch and to set it, from any thread, at any time.
///
/// Clones are the same pace, and so are all services made by one [`ThrottleLayer`](crate::ThrottleLayer).
#[derive(Clone)]
pub struct Pace {
    pub(crate) inner: Arc<PaceInner>,
}

/// On cache lines of its own, apart from the count of the handles.
#[repr(C, align(128))]
pub(crate) struct PaceInner {
    /// What a call needs to know without a lock: what it must mind, and the epoch. Written under the machine's lock.
    pub(crate) word: AtomicU64,
    pub(crate) rates: Rates,
    pub(crate) purse: Purse,
    epoch: Instant,
    name: OnceLock<Box<str>>,
    /// What ties it to the other replicas that keep it.
    link: Option<Box<dyn Link<Pace>>>,
    machine: Mutex<Machine>,
}

impl Pace {
    /// A pace that is set so, by a [`Rate`](crate::Rate) of requests or all of [`PaceSettings`].
    pub fn new(settings: impl Into<PaceSettings>) -> Self {
        Self::with(settings.into(), None)
    }

    /// A pace that is set so, and shared with others if there is a link to them.
    pub(crate) fn with(settings: PaceSettings, link: Option<Box<dyn Link<Self>>>) -> Self {
        let mut machine = Machine::new(settings);
        let is_linked = link.is_some();
        if is_linked {
            machine.sharing.store = Store::Shared;
        }
        let pace = Self {
            inner: Arc::new(PaceInner {
                word: AtomicU64::new(0),
                rates: Rates::new(),
                purse: Purse::new(),
                epoch: Instant::now(),
                name: OnceLock::new(),
                link,
                machine: Mutex::new(machine),
            }),
        };
        pace.set(settings);
        if is_linked {
            // Its first call has the store asked: a pace that nobody calls is no replica.
            pace.change(|machine, _, _| machine.sharing.is_unattended = true);
        }
        pace
    }

    /// A pace that events call by this name.
    pub fn named(name: impl Into<Box<str>>, settings: impl Into<PaceSettings>) -> Self {
        Self::new(settings).called(name)
    }

    /// Another pace, which knows nothing yet, for the same key: with this one's name, shared with the same replicas if this one
    /// is, and set so.
    #[must_use]
    pub fn anew(&self, settings: impl Into<PaceSettings>) -> Self {
        let pace = Self::with(settings.into(), self.inner.link.as_ref().map(|link| link.again()));
        match self.name() {
            Some(name) => pace.called(name),
            None => pace,
        }
    }

    /// Another one like it, set as it is, that events call by this name.
    #[must_use]
    pub fn renamed(&self, name: impl Into<Box<str>>) -> Self {
        Self::with(self.settings(), self.inner.link.as_ref().map(|link| link.again())).called(name)
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

    /// By this name, unless it has one.
    fn called(self, name: impl Into<Box<str>>) -> Self {
        let _ = self.inner.name.set(name.into());
        self
    }

    /// Whether nobody else holds it, and it has nothing to remember.
    pub(crate) fn is_idle(&self) -> bool {
        let now = self.now();
        let machine = self.lock();
        Arc::strong_count(&self.inner) == 1 && machine.is_like_new(now) && self.inner.rates.are_full(now)
    }

    /// Names it as `Debug` shows `key` (a text without its quotes), unless it has a name.
    pub(crate) fn name_by(&self, key: &dyn fmt::Debug) {
        self.inner.name.get_or_init(|| format!("{key:?}").trim_matches('"').into());
    }

    /// Works on the machine, publishes what calls need to know of it, and wakes whoever has to be.
    pub(crate) fn change<T>(&self, work: impl FnOnce(&mut Machine, &Rates, u64) -> T) -> T {
        let mut machine = self.lock();
        // Read under the lock, so that the machine sees no time before the last.
        let now = self.now();
        let link = self.inner.link.as_ref();
        let is_waited_for = !machine.queue.is_empty();
        let starts = link.filter(|link| machine.sharing.is_left(is_waited_for, now) && link.can_start());
        if starts.is_some() {
            machine.sharing.hand_over(now);
        }
        let attendant = machine.sharing.attendant;
        let done = work(&mut machine, &self.inner.rates, now);
        let flags = [
            (self.inner.rates.are_set(), RATES),
            (machine.is_gated(now) || machine.sharing.is_unattended, GATE),
            (machine.minds_success(), WATCH),
            (machine.begins(), BEGIN),
        ];
        let flags = flags.iter().filter(|(is_so, _)| *is_so).fold(0, |flags, (_, bit)| flags | bit);
        self.inner.word.store(u64::from(machine.epoch) << EPOCH_AT | flags, Release);
        let wakers = machine.queue.wakers();
        let rings = link.filter(|_| machine.rings(now));
        drop(machine);
        wakers.into_iter().for_each(Waker::wake);
        if let Some(link) = starts {
            link.start(self, attendant);
        }
        if let Some(link) = rings {
            link.ring();
        }
        done
    }

    /// Whether so few handles and calls hold it that calls cannot be many.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        Arc::strong_count(&self.inner) <= QUIET
    }

    /// That time of the pace's clock.
    pub(crate) fn instant(&self, nanos: u64) -> Instant {
        self.inner.epoch + Duration::from_nanos(nanos)
    }

    pub(crate) fn now(&self) -> u64 {
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

/// How many hold a pace of one caller, and of a few calls at once.
const QUIET: usize = 8;
/// There are rates.
pub(crate) const RATES: u64 = 1;
/// Calls have to ask the machine.
pub(crate) const GATE: u64 = 2;
/// The machine minds successes.
pub(crate) const WATCH: u64 = 4;
/// Calls have to ask the machine where they may be many.
pub(crate) const BEGIN: u64 = 8;
pub(crate) const EPOCH_AT: u32 = 8;
