use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        OnceLock, PoisonError,
        atomic::Ordering::{Acquire, Relaxed, Release},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};
use trysail_core::{Cause, Class, Open, Random};

use crate::{
    changes::Changes,
    gate::Gate,
    snapshot::Snapshot,
    state::{FORCED_RETRY, Machine, Outcome, PROBING_RETRY, Pass, Probing, State, Times},
    sync::{Arc, AtomicU8, AtomicU64, Mutex, MutexGuard},
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
    /// answer. By default it never does.
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

    /// The refusal that is certain already, so that nobody need wait for the service's readiness to hear it.
    #[inline]
    pub(crate) fn peek(&self) -> Option<Open> {
        let gate = self.shared.gate.load(Acquire);
        if Gate::is_closed(gate) { None } else { refusal(gate, self.ms(Instant::now())) }
    }

    #[inline]
    pub(crate) fn admit(&self) -> Result<Pass, Open> {
        let gate = self.shared.gate.load(Acquire);
        match Gate::unpack(gate) {
            Gate::Closed { generation, .. } => Ok(Pass { generation, probe: 0 }),
            // Its result finds a gate that is not closed, and is for nobody.
            Gate::Disabled => Ok(Pass { generation: 0, probe: 0 }),
            Gate::Shut { .. } | Gate::Forced => self.admit_at(gate, Instant::now()),
        }
    }

    /// Takes the success of a call; most of them change nothing but the counts.
    #[inline]
    pub(crate) fn succeed(&self, pass: Pass, since: Option<u32>) {
        let at_rest = Gate::Closed { generation: pass.generation, minds_success: false };
        if self.shared.gate.load(Acquire) != at_rest.pack() || pass.probe != 0 || self.uses(SLOW) {
            self.settle(pass, Outcome::Success, since);
        } else if self.uses(FAILURES) {
            self.count_success(pass.generation);
        }
    }

    /// Counts a success that changes nothing else.
    fn count_success(&self, generation: u32) {
        let now_ms = if self.uses(CLOCK) { self.ms(Instant::now()) } else { 0 };
        self.shared.failures.record(now_ms, generation, false);
    }

    /// Whether the length of a call matters.
    #[inline]
    pub(crate) fn times_calls(&self) -> bool {
        self.uses(SLOW)
    }

    /// The time of the circuit's own clock, which comes round after 49 days.
    pub(crate) fn now_ms(&self) -> u32 {
        self.ms(Instant::now()) as u32
    }

    /// How long a call must be given up after, to count as abandoned.
    #[inline]
    pub(crate) fn patience_ms(&self) -> Option<u64> {
        Some(self.shared.abandoned_after_ms.load(Relaxed)).filter(|ms| *ms != u64::MAX)
    }

    /// Takes the outcome of a call that began at `since`, if its length matters.
    pub(crate) fn settle(&self, pass: Pass, outcome: Outcome, since: Option<u32>) {
        let outcome = match outcome {
            Outcome::Throttled { hint } if pass.probe == 0 && self.uses(THROTTLED) => {
                Outcome::Failure { class: Class::Throttled, hint }
            }
            outcome => outcome,
        };
        if pass.probe != 0 {
            return self.settle_at(pass, outcome, Instant::now());
        }
        let Gate::Closed { generation, minds_success } = Gate::unpack(self.shared.gate.load(Acquire)) else { return };
        if generation != pass.generation {
            return;
        }
        match outcome {
            Outcome::Neutral | Outcome::Throttled { .. } => {}
            Outcome::Success => {
                let now = if self.uses(CLOCK) { Instant::now() } else { self.shared.epoch };
                if self.count(generation, false, since, now) || minds_success {
                    self.settle_at(pass, outcome, if self.uses(CLOCK) { now } else { Instant::now() });
                }
            }
            Outcome::Failure { .. } => {
                let now = Instant::now();
                self.count(generation, true, since, now);
                self.settle_at(pass, outcome, now);
            }
            Outcome::Abandoned => self.settle_at(pass, outcome, Instant::now()),
        }
    }

    /// Counts a judged call; says whether it was slow.
    fn count(&self, generation: u32, failed: bool, since: Option<u32>, now: Instant) -> bool {
        let shared = &self.shared;
        let now_ms = self.ms(now);
        if self.uses(FAILURES) {
            shared.failures.record(now_ms, generation, failed);
        }
        if !self.uses(SLOW) {
            return false;
        }
        let took_ms = since.map_or(0, |since| (now_ms as u32).wrapping_sub(since));
        let slow = u64::from(took_ms) >= shared.slow_from_ms.load(Relaxed);
        shared.slow.record(now_ms, generation, slow);
        slow
    }

    #[cold]
    fn admit_at(&self, gate: u64, now: Instant) -> Result<Pass, Open> {
        if let Some(open) = refusal(gate, self.ms(now)) {
            return Err(open);
        }
        self.change(now, |machine| machine.admit(now))
    }

    #[cold]
    fn settle_at(&self, pass: Pass, outcome: Outcome, now: Instant) {
        let tallies = || self.tallies(pass.generation, now);
        self.change(now, |machine| machine.settle(pass, outcome, now, tallies));
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
        ms(now.saturating_duration_since(self.shared.epoch))
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

/// The refusal that `gate` stands for, unless a call may pass.
fn refusal(gate: u64, now_ms: u64) -> Option<Open> {
    match Gate::unpack(gate) {
        Gate::Closed { .. } | Gate::Disabled => None,
        Gate::Forced => Some(Open::new(FORCED_RETRY, Cause::Forced, None)),
        Gate::Shut { until_ms, probing, cause, class } => {
            let rest_ms = until_ms.checked_sub(now_ms).filter(|ms| *ms > 0)?;
            let rest_ms = if probing { rest_ms.min(ms(PROBING_RETRY)) } else { rest_ms };
            Some(Open::new(Duration::from_millis(rest_ms), cause, class))
        }
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
