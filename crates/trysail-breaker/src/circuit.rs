mod change;
mod inner;

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

use tokio::{sync::watch, time::Instant};
use trysail_core::Random;

pub(crate) use self::inner::{CLOCK, CircuitInner, FAILURES, SLOW, THROTTLED, ms};
use crate::{
    changes::Changes, machine::StateMachine, settings::CircuitSettings, snapshot::Snapshot, state::State, sync::Arc,
};

/// A circuit: the shared handle to watch, to set and to command it, from any thread, at any time.
///
/// Clones are the same circuit, and so are all services made by one [`BreakerLayer`](crate::BreakerLayer).
#[derive(Clone)]
pub struct Circuit {
    pub(crate) inner: Arc<CircuitInner>,
}

impl Circuit {
    /// A closed circuit that is set so, by a [`Trip`](crate::Trip) or all of [`CircuitSettings`].
    pub fn new(settings: impl Into<CircuitSettings>) -> Self {
        let settings = settings.into();
        let epoch = Instant::now();
        let machine = StateMachine::new(settings, Random::seeded(RandomState::new().hash_one(())), epoch);
        Self { inner: Arc::new(CircuitInner::new(settings, machine, epoch)) }
    }

    /// A circuit that events call by this name.
    pub fn named(name: impl Into<Box<str>>, settings: impl Into<CircuitSettings>) -> Self {
        let circuit = Self::new(settings);
        let _ = circuit.inner.listeners().name.set(name.into());
        circuit
    }

    /// What events call it.
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }

    /// How it is set now.
    pub fn settings(&self) -> CircuitSettings {
        self.inner.lock().settings()
    }

    /// Sets it anew, for all its handles, from now on. Another trip counts from nothing; the time for which it is open
    /// already, and the lease of a probe that is out, stay as they are.
    pub fn set(&self, settings: CircuitSettings) {
        self.inner.apply(self.inner.lock(), settings);
    }

    /// Sets it to what `change` makes of its settings; if somebody else sets it meanwhile, `change` is asked again.
    pub fn update(&self, change: impl Fn(CircuitSettings) -> CircuitSettings) {
        loop {
            let before = self.settings();
            let settings = change(before);
            let machine = self.inner.lock();
            if machine.settings() == before {
                return self.inner.apply(machine, settings);
            }
        }
    }

    /// Makes the jitter of the open times repeatable, from now on.
    pub fn seed(&self, seed: u64) {
        self.inner.lock().random = Random::seeded(seed);
    }

    /// What the circuit does with calls now.
    pub fn state(&self) -> State {
        self.inner.lock().state(Instant::now())
    }

    /// Everything there is to know about the circuit now.
    pub fn snapshot(&self) -> Snapshot {
        let now = Instant::now();
        let machine = self.inner.lock();
        self.inner.snapshot(&machine, now)
    }

    /// Tells of each change of state, the one to half-open when a call probes.
    pub fn subscribe(&self) -> Changes {
        let now = Instant::now();
        let machine = self.inner.lock();
        let last = (machine.generation(), self.inner.snapshot(&machine, now));
        let changes = self.inner.listeners().changes.get_or_init(|| watch::Sender::new(last));
        drop(machine);
        Changes::of(changes)
    }

    /// Refuses all calls, until somebody says otherwise.
    pub fn force_open(&self) {
        self.inner.command(StateMachine::force_open);
    }

    /// Closes the circuit; it counts from nothing, and remembers how long it was open the last time.
    pub fn force_closed(&self) {
        self.inner.command(StateMachine::force_closed);
    }

    /// Lets all calls pass, uncounted, until somebody says otherwise.
    pub fn disable(&self) {
        self.inner.command(StateMachine::disable);
    }

    /// Closes the circuit with a clean slate.
    pub fn reset(&self) {
        self.inner.command(StateMachine::reset);
    }

    /// Whether nobody else holds it, and it has nothing to remember.
    pub(crate) fn is_idle(&self) -> bool {
        Arc::strong_count(&self.inner) == 1 && self.inner.lock().is_idle(Instant::now())
    }

    /// Names it as `Debug` shows `key` (a text without its quotes), unless it has a name.
    pub(crate) fn name_by(&self, key: &dyn fmt::Debug) {
        self.inner.listeners().name.get_or_init(|| format!("{key:?}").trim_matches('"').into());
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
