mod calls;

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        OnceLock, PoisonError,
        atomic::Ordering::{Relaxed, Release},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};
use trysail_core::Random;

use crate::{
    changes::Changes,
    gate::Gate,
    snapshot::Snapshot,
    state::{Machine, State},
    sync::{Arc, AtomicU8, AtomicU64, Mutex, MutexGuard},
    times::{Probing, Times},
    trace,
    trip::Trip,
    window::{Length, Tally, Window},
};

/// A circuit: the shared handle to watch, to set and to command it, from any thread, at any time.
///
/// Clones are the same circuit, and so are all services made by one [`BreakerLayer`](crate::BreakerLayer).
#[derive(Clone)]
pub struct Circuit {
    shared: Arc<Shared>,
}

/// What all handles share; on cache lines of its own, apart from the count of the handles.
#[repr(align(128))]
struct Shared {
    gate: AtomicU64,
    /// What outcomes are for, besides streaks.
    uses: AtomicU8,
    slow_from_ms: AtomicU64,
    abandoned_after_ms: AtomicU64,
    failures: Window,
    slow: Window,
    epoch: Instant,
    machine: Mutex<Machine>,
    changes: OnceLock<watch::Sender<(u32, State)>>,
}

impl Circuit {
    /// A closed circuit that opens as `trip` says: for 5 s at first, twice as long after each failed probe, up to
    /// 15 s, each time between half and all of that; at least as long as the server asks for, up to 60 s.
    pub fn new(trip: Trip) -> Self {
        let epoch = Instant::now();
        let machine = Machine::new(trip, Random::seeded(RandomState::new().hash_one(())), epoch);
        let shared = Shared {
            gate: AtomicU64::new(Gate::Closed { generation: machine.generation(), minds_success: false }.pack()),
            uses: AtomicU8::new(0),
            slow_from_ms: AtomicU64::new(u64::MAX),
            abandoned_after_ms: AtomicU64::new(u64::MAX),
            failures: Window::new(trip.sample.length),
            slow: Window::new(trip.sample.length),
            epoch,
            machine: Mutex::new(machine),
            changes: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }.trip(trip)
    }

    /// When it opens, from now on. Rates are taken of later calls only, while failures in a row go on.
    pub fn trip(self, trip: Trip) -> Self {
        let shared = &self.shared;
        let mut machine = self.lock();
        machine.trip = trip;
        shared.failures.resize(trip.sample.length);
        shared.slow.resize(trip.sample.length);
        shared.slow_from_ms.store(trip.slow.map_or(u64::MAX, |slow| ms(slow.from)), Relaxed);
        let timed = trip.slow.is_some() || (trip.failing.is_some() && matches!(trip.sample.length, Length::Time(_)));
        let rates = [(trip.failing.is_some(), FAILURES), (trip.slow.is_some(), SLOW), (timed, CLOCK)];
        let rates = rates.iter().filter(|(used, _)| *used).fold(0, |uses, (_, bit)| uses | bit);
        shared.uses.store(shared.uses.load(Relaxed) & THROTTLED | rates, Relaxed);
        drop(machine);
        self
    }

    /// How long the circuit stays open: `first`, and twice as long after each failed probe, up to `cap`.
    pub fn open_time(self, first: Duration, cap: Duration) -> Self {
        self.set(|machine| machine.times = Times { open: first, cap, ..machine.times })
    }

    /// The most that a server's hint can keep it open for, beyond the open time; 60 s by default.
    pub fn most_hint(self, most: Duration) -> Self {
        self.set(|machine| machine.times.most_hint = most)
    }

    /// How many calls probe at once, and how many successes of theirs close the circuit; 1 and 1 by default, which
    /// zero counts as.
    pub fn probes(self, at_once: u32, successes: u32) -> Self {
        self.set(|machine| machine.probing = Probing { at_once: at_once.max(1), successes: successes.max(1) })
    }

    /// Makes the streaks that open the circuit longer than one call with so many retries can fail.
    pub fn outlast(self, retries: u32) -> Self {
        self.set(|machine| machine.trip = machine.trip.outlast(retries))
    }

    /// How long a probe may hold its place; one that is not heard of by then is forgotten. 30 s by default.
    ///
    /// A little more than the limit of one attempt is right.
    pub fn lease(self, lease: Duration) -> Self {
        // A probe without any time could never be heard of.
        self.set(|machine| machine.times.lease = lease.max(Duration::from_millis(1)))
    }

    /// Makes the jitter of the open times repeatable.
    pub fn seed(self, seed: u64) -> Self {
        self.set(|machine| machine.random = Random::seeded(seed))
    }

    /// How long a call must have waited, to lengthen the streak of failures if its caller gives it up without an
    /// answer, to the millisecond. By default it never does.
    pub fn abandoned_after(self, patience: Duration) -> Self {
        self.shared.abandoned_after_ms.store(ms(patience), Relaxed);
        self
    }

    /// Whether a throttled call counts as a failure of the server; by default it says nothing about it.
    pub fn count_throttled(self, counts: bool) -> Self {
        let _ = match counts {
            true => self.shared.uses.fetch_or(THROTTLED, Relaxed),
            false => self.shared.uses.fetch_and(!THROTTLED, Relaxed),
        };
        self
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
        let machine = self.lock();
        let now = (machine.generation(), machine.state(Instant::now()));
        let changes = self.shared.changes.get_or_init(|| watch::Sender::new(now));
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

    fn set(self, set: impl FnOnce(&mut Machine)) -> Self {
        self.change(Instant::now(), set);
        self
    }

    fn command(&self, command: impl FnOnce(&mut Machine, Instant)) {
        let now = Instant::now();
        self.change(now, |machine| command(machine, now));
    }

    /// Works on the machine, and tells whoever wants to know of its state.
    fn change<T>(&self, now: Instant, work: impl FnOnce(&mut Machine) -> T) -> T {
        let shared = &self.shared;
        let mut machine = self.lock();
        let before = machine.generation();
        let done = work(&mut machine);
        let generation = machine.generation();
        if generation != before {
            shared.failures.restart();
            shared.slow.restart();
        }
        shared.gate.store(self.gate(&machine).pack(), Release);
        let snapshot = (generation != before).then(|| Snapshot::of(&machine, Tally::default(), Tally::default(), now));
        drop(machine);
        if let Some(snapshot) = snapshot {
            trace::changed(&snapshot);
            if let Some(changes) = shared.changes.get() {
                // Two changes may meet here out of their order.
                changes.send_if_modified(|last| {
                    let later = generation.wrapping_sub(last.0) as i32 > 0;
                    if later {
                        *last = (generation, snapshot.state());
                    }
                    later
                });
            }
        }
        done
    }

    /// What the machine does, in a word.
    fn gate(&self, machine: &Machine) -> Gate {
        match machine.state(self.shared.epoch) {
            State::Closed => Gate::Closed { generation: machine.generation(), minds_success: machine.minds_success() },
            State::Disabled => Gate::Disabled,
            State::ForcedOpen => Gate::Forced,
            state @ (State::Open | State::HalfOpen) => {
                let until_ms = machine.shut_until().map_or(0, |until| self.whole_ms(until));
                let opened = machine.opened();
                Gate::Shut { until_ms, probing: state == State::HalfOpen, cause: opened.cause, class: opened.class }
            }
        }
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
        ms(then.saturating_duration_since(self.shared.epoch).saturating_add(Duration::from_nanos(999_999)))
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.shared.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Circuit").field(&self.snapshot()).finish()
    }
}

fn ms(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000).saturating_add(time.subsec_millis().into())
}

const FAILURES: u8 = 1;
const SLOW: u8 = 2;
const THROTTLED: u8 = 4;
/// Some rate needs to know when a call ends.
const CLOCK: u8 = 8;
