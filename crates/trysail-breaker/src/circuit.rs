mod calls;
mod change;

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{OnceLock, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use trysail_core::Random;

use crate::{
    changes::{Change, Changes},
    gate::Gate,
    settings::CircuitSettings,
    snapshot::Snapshot,
    state::{Machine, State},
    sync::{Arc, AtomicU8, AtomicU64, Mutex, MutexGuard},
    window::{Tally, Window},
};

/// A circuit: the shared handle to watch, to set and to command it, from any thread, at any time.
///
/// Clones are the same circuit, and so are all services made by one [`BreakerLayer`](crate::BreakerLayer).
#[derive(Clone)]
pub struct Circuit {
    shared: Arc<Shared>,
}

/// What all handles share; on cache lines of its own, apart from the count of the handles. What every call reads is on
/// the first, apart from what calls write.
#[repr(C, align(128))]
struct Shared {
    gate: AtomicU64,
    slow_from_ms: AtomicU64,
    abandoned_after_ms: AtomicU64,
    epoch: Instant,
    /// What outcomes are for, besides streaks.
    uses: AtomicU8,
    heard: OnceLock<Box<Heard>>,
    failures: Window,
    slow: Window,
    machine: Mutex<Machine>,
}

/// Who hears of a circuit, and under which name.
#[derive(Default)]
struct Heard {
    changes: OnceLock<watch::Sender<Change>>,
    /// Those who wait until calls may pass.
    waiting: OnceLock<std::sync::Arc<Notify>>,
    name: OnceLock<Box<str>>,
}

impl Circuit {
    /// A closed circuit that is set so, by a [`Trip`](crate::Trip) or all of [`CircuitSettings`].
    pub fn new(settings: impl Into<CircuitSettings>) -> Self {
        let settings = settings.into();
        let epoch = Instant::now();
        let machine = Machine::new(settings, Random::seeded(RandomState::new().hash_one(())), epoch);
        let shared = Shared {
            gate: AtomicU64::new(Gate::Closed { generation: machine.generation(), minds_success: false }.pack()),
            slow_from_ms: AtomicU64::new(u64::MAX),
            abandoned_after_ms: AtomicU64::new(u64::MAX),
            epoch,
            uses: AtomicU8::new(0),
            heard: OnceLock::new(),
            failures: Window::new(settings.trip.sample.length),
            slow: Window::new(settings.trip.sample.length),
            machine: Mutex::new(machine),
        };
        shared.follow(settings);
        Self { shared: Arc::new(shared) }
    }

    /// A circuit that events call by this name.
    pub fn named(name: impl Into<Box<str>>, settings: impl Into<CircuitSettings>) -> Self {
        let circuit = Self::new(settings);
        let _ = circuit.heard().name.set(name.into());
        circuit
    }

    /// What events call it.
    pub fn name(&self) -> Option<&str> {
        self.shared.heard.get()?.name.get().map(|name| &**name)
    }

    /// How it is set now.
    pub fn settings(&self) -> CircuitSettings {
        self.lock().settings()
    }

    /// Sets it anew, for all its handles, from now on. Another trip counts from nothing; the time for which it is open
    /// already, and the lease of a probe that is out, stay as they are.
    pub fn set(&self, settings: CircuitSettings) {
        self.apply(self.lock(), settings);
    }

    /// Sets it to what `change` makes of its settings; if somebody else sets it meanwhile, `change` is asked again.
    pub fn update(&self, change: impl Fn(CircuitSettings) -> CircuitSettings) {
        loop {
            let before = self.settings();
            let settings = change(before);
            let machine = self.lock();
            if machine.settings() == before {
                return self.apply(machine, settings);
            }
        }
    }

    /// Makes the jitter of the open times repeatable, from now on.
    pub fn seed(&self, seed: u64) {
        self.lock().random = Random::seeded(seed);
    }

    /// What the circuit does with calls now.
    pub fn state(&self) -> State {
        self.lock().state(Instant::now())
    }

    /// Everything there is to know about the circuit now.
    pub fn snapshot(&self) -> Snapshot {
        let now = Instant::now();
        let machine = self.lock();
        let (failures, slow) = self.tallies(machine.generation(), now);
        Snapshot::of(&machine, failures, slow, now)
    }

    /// Tells of each change of state, the one to half-open when a call probes.
    pub fn subscribe(&self) -> Changes {
        let now = Instant::now();
        let machine = self.lock();
        let (failures, slow) = self.tallies(machine.generation(), now);
        let last = (machine.generation(), Snapshot::of(&machine, failures, slow, now));
        let changes = self.heard().changes.get_or_init(|| watch::Sender::new(last));
        drop(machine);
        Changes::of(changes)
    }

    /// Refuses all calls, until somebody says otherwise.
    pub fn force_open(&self) {
        self.command(Machine::force_open);
    }

    /// Closes the circuit; it counts from nothing, and remembers how long it was open the last time.
    pub fn force_closed(&self) {
        self.command(Machine::force_closed);
    }

    /// Lets all calls pass, uncounted, until somebody says otherwise.
    pub fn disable(&self) {
        self.command(Machine::disable);
    }

    /// Closes the circuit with a clean slate.
    pub fn reset(&self) {
        self.command(Machine::reset);
    }

    /// Whether nobody else holds it, and it has nothing to remember.
    pub(crate) fn is_idle(&self) -> bool {
        Arc::strong_count(&self.shared) == 1 && self.lock().is_idle(Instant::now())
    }

    fn heard(&self) -> &Heard {
        self.shared.heard.get_or_init(Box::default)
    }

    /// Names it as `Debug` shows `key` (a text without its quotes), unless it has a name.
    pub(crate) fn name_by(&self, key: &dyn fmt::Debug) {
        self.heard().name.get_or_init(|| format!("{key:?}").trim_matches('"').into());
    }

    fn tallies(&self, generation: u32, now: Instant) -> (Tally, Tally) {
        let tally = |window: &Window, bit| match self.uses(bit) {
            true => window.tally(self.ms(now), generation),
            false => Tally::default(),
        };
        (tally(&self.shared.failures, FAILURES), tally(&self.shared.slow, SLOW))
    }

    #[inline]
    fn uses(&self, bits: u8) -> bool {
        self.shared.uses.load(Relaxed) & bits != 0
    }

    fn ms(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.shared.epoch);
        // No clock runs for as long as this would overflow.
        passed.as_secs() * 1_000 + u64::from(passed.subsec_millis())
    }

    /// The first millisecond that is not before `then`.
    fn whole_ms(&self, then: Instant) -> u64 {
        ms_up(then.saturating_duration_since(self.shared.epoch))
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.shared.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A closed circuit with the default settings.
impl Default for Circuit {
    fn default() -> Self {
        Self::new(CircuitSettings::default())
    }
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Circuit").field(&self.name()).field(&self.snapshot()).finish()
    }
}

fn ms(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000).saturating_add(time.subsec_millis().into())
}

/// In whole milliseconds, of which a part counts as one.
fn ms_up(time: Duration) -> u64 {
    ms(time.saturating_add(Duration::from_nanos(999_999)))
}

const FAILURES: u8 = 1;
const SLOW: u8 = 2;
const THROTTLED: u8 = 4;
/// Some rate needs to know when a call ends.
const CLOCK: u8 = 8;
