use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};

use tokio::time::Instant;
use trysail_core::{Cause, Class, Open, Random};

use crate::{
    gate::Gate,
    state::{FORCED_RETRY, Machine, Outcome, PROBING_RETRY, Pass, State},
    trace,
    trip::Trip,
    window::{Tally, Window},
};

/// A circuit: the shared handle to watch and to command it.
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
    abandoned_after_ms: AtomicU64,
    window: Option<Window>,
    epoch: Instant,
    random: Random,
    machine: Mutex<Machine>,
}

/// How a circuit was at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    state: State,
    since: Instant,
    streak: u32,
    tally: Tally,
    opened: u64,
    cause: Cause,
    class: Option<Class>,
}

impl Circuit {
    /// A closed circuit that opens as `trip` says: for 5 s at first, twice as long after each failed probe, up to
    /// 15 s, each time between half and all of that; at least as long as the server asks for, up to 60 s.
    pub fn new(trip: Trip) -> Self {
        let epoch = Instant::now();
        let machine = Machine::new(trip, epoch);
        let shared = Shared {
            gate: AtomicU64::new(Gate::Closed { generation: machine.generation(), streak: false }.pack()),
            abandoned_after_ms: AtomicU64::new(u64::MAX),
            window: trip.rate.map(|rate| Window::new(rate.window)),
            epoch,
            random: Random::seeded(RandomState::new().hash_one(())),
            machine: Mutex::new(machine),
        };
        Self { shared: Arc::new(shared) }
    }

    /// How long the circuit stays open: `first`, and twice as long after each failed probe, up to `cap`.
    pub fn open_time(self, first: Duration, cap: Duration) -> Self {
        let mut machine = self.lock();
        machine.times.open = first;
        machine.times.cap = cap;
        drop(machine);
        self
    }

    /// Makes the streaks that open the circuit longer than one call with so many retries can fail.
    pub fn outlast(self, retries: u32) -> Self {
        let mut machine = self.lock();
        machine.trip = machine.trip.outlast(retries);
        drop(machine);
        self
    }

    /// How long a probe may hold its place; one that is not heard of by then is forgotten. 30 s by default.
    ///
    /// A little more than the limit of one attempt is right.
    pub fn lease(self, lease: Duration) -> Self {
        self.lock().times.lease = lease;
        self
    }

    /// How long a call must have waited, to lengthen the streak of failures if its caller gives it up without an
    /// answer. By default it never does.
    pub fn abandoned_after(self, patience: Duration) -> Self {
        let ms = patience.as_millis().try_into().unwrap_or(u64::MAX);
        self.shared.abandoned_after_ms.store(ms, Relaxed);
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
        let opened = machine.opened();
        Snapshot {
            state: machine.state(now),
            since: machine.since(),
            streak: machine.streak(),
            tally: self.tally(machine.generation(), now),
            opened: opened.times,
            cause: opened.cause,
            class: opened.class,
        }
    }

    /// Refuses all calls until [`reset`](Self::reset) or [`force_closed`](Self::force_closed).
    pub fn force_open(&self) {
        self.command(Machine::force_open);
    }

    /// Lets all calls pass, uncounted, until [`reset`](Self::reset) or [`force_open`](Self::force_open).
    pub fn force_closed(&self) {
        self.command(Machine::disable);
    }

    /// Closes the circuit with a clean slate.
    pub fn reset(&self) {
        self.command(Machine::reset);
    }

    /// The refusal that is certain already, so that nobody need wait for the service's readiness to hear it.
    pub(crate) fn peek(&self) -> Option<Open> {
        match Gate::unpack(self.shared.gate.load(Acquire)) {
            Gate::Closed { .. } | Gate::Disabled => None,
            gate => self.refusal(gate, Instant::now()),
        }
    }

    pub(crate) fn admit(&self) -> Result<Pass, Open> {
        match Gate::unpack(self.shared.gate.load(Acquire)) {
            Gate::Closed { generation, .. } => Ok(Pass { generation, probe: 0 }),
            gate => self.admit_at(gate, Instant::now()),
        }
    }

    pub(crate) fn settle(&self, pass: Pass, outcome: Outcome) {
        let gate = Gate::unpack(self.shared.gate.load(Acquire));
        if pass.probe == 0 {
            match (gate, outcome) {
                (_, Outcome::Neutral | Outcome::Throttled { .. }) => return,
                (Gate::Closed { generation, streak }, Outcome::Success) if generation == pass.generation => {
                    if let Some(window) = &self.shared.window {
                        window.record(self.ms(Instant::now()), generation, false);
                    }
                    if !streak {
                        return;
                    }
                }
                (Gate::Closed { generation, .. }, _) if generation == pass.generation => {}
                _ => return,
            }
        }
        self.settle_at(pass, outcome, Instant::now());
    }

    /// How long a call must be given up after, to count as abandoned.
    pub(crate) fn patience(&self) -> Option<Duration> {
        match self.shared.abandoned_after_ms.load(Relaxed) {
            u64::MAX => None,
            ms => Some(Duration::from_millis(ms)),
        }
    }

    fn admit_at(&self, gate: Gate, now: Instant) -> Result<Pass, Open> {
        if let Some(open) = self.refusal(gate, now) {
            return Err(open);
        }
        let mut machine = self.lock();
        let admitted = machine.admit(now);
        self.publish(&machine);
        admitted
    }

    #[cold]
    fn settle_at(&self, pass: Pass, outcome: Outcome, now: Instant) {
        let mut machine = self.lock();
        let before = machine.generation();
        if let (Outcome::Failure { .. }, Some(window)) = (outcome, &self.shared.window)
            && pass.probe == 0
        {
            window.record(self.ms(now), pass.generation, true);
        }
        machine.settle(pass, outcome, now, || self.tally(pass.generation, now), || self.draw());
        self.publish(&machine);
        let changed = machine.generation() != before;
        drop(machine);
        if changed {
            trace::changed(&self.snapshot());
        }
    }

    fn command(&self, command: impl FnOnce(&mut Machine, Instant)) {
        let mut machine = self.lock();
        command(&mut machine, Instant::now());
        self.publish(&machine);
        drop(machine);
        trace::changed(&self.snapshot());
    }

    /// The refusal that `gate` stands for, unless a call may pass.
    fn refusal(&self, gate: Gate, now: Instant) -> Option<Open> {
        match gate {
            Gate::Closed { .. } | Gate::Disabled => None,
            Gate::Forced => Some(Open::new(FORCED_RETRY, Cause::Forced, None)),
            Gate::Shut { until_ms, probing, cause, class } => {
                let rest = Duration::from_millis(until_ms.checked_sub(self.ms(now)).filter(|ms| *ms > 0)?);
                Some(Open::new(if probing { rest.min(PROBING_RETRY) } else { rest }, cause, class))
            }
        }
    }

    /// Makes the gate say what the machine does. Called under its lock, so that the last word is the last state.
    fn publish(&self, machine: &Machine) {
        let gate = match machine.state(self.shared.epoch) {
            State::Closed => Gate::Closed { generation: machine.generation(), streak: machine.has_streak() },
            State::Disabled => Gate::Disabled,
            State::ForcedOpen => Gate::Forced,
            state @ (State::Open | State::HalfOpen) => {
                let until_ms = machine.shut_until().map_or(0, |until| self.ms(until) + 1);
                let opened = machine.opened();
                Gate::Shut { until_ms, probing: state == State::HalfOpen, cause: opened.cause, class: opened.class }
            }
        };
        self.shared.gate.store(gate.pack(), Release);
    }

    fn tally(&self, generation: u32, now: Instant) -> Tally {
        self.shared.window.as_ref().map_or_else(Tally::default, |window| window.tally(self.ms(now), generation))
    }

    fn ms(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.shared.epoch).as_millis() as u64
    }

    fn draw(&self) -> f64 {
        self.shared.random.draw() as f64 / u64::MAX as f64
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

impl Snapshot {
    /// What the circuit did with calls.
    pub const fn state(&self) -> State {
        self.state
    }

    /// When that began; an open circuit is half-open without further notice once its time is over.
    pub const fn since(&self) -> Instant {
        self.since
    }

    /// How many failures there were in a row.
    pub const fn streak(&self) -> u32 {
        self.streak
    }

    /// How many calls the window of a rate held.
    pub const fn calls(&self) -> u32 {
        self.tally.calls
    }

    /// How many of these had failed.
    pub const fn failures(&self) -> u32 {
        self.tally.failures
    }

    /// How often the circuit has opened since it was made.
    pub const fn opened(&self) -> u64 {
        self.opened
    }

    /// Why it opened last; `None` if it never did.
    pub fn cause(&self) -> Option<Cause> {
        (self.opened > 0).then_some(self.cause)
    }

    /// The class of the failure that opened it last.
    pub const fn class(&self) -> Option<Class> {
        self.class
    }
}
