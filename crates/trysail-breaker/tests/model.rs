//! The circuit beside a naive model of it, written from the design: the same calls at the same times, the same decisions.
//!
//! The model keeps every call in a list and looks at all of them each time. Where the circuit is vague on purpose, so is
//! the model: windows slide by a tenth of their length, counted from the circuit's making (all times here are multiples
//! of 125 ms, which their buckets hold exactly), and the open time is read off the circuit, once it is known to be in
//! range.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::RngSeed};
use tokio::{runtime::Builder, sync::oneshot, time};
use tokio_test::task;
use tower::{BoxError, Layer, ServiceExt, service_fn};
use trysail_breaker::{BreakerLayer, Circuit, CircuitSettings, State, Trip};
use trysail_core::{Open, Verdict};

/// How a circuit is set, all times in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Rules {
    failing: Option<f64>,
    streak: Option<(u32, u64)>,
    slow: Option<(u64, f64)>,
    least: usize,
    span: u64,
    window: Window,
    open: u64,
    cap: u64,
    lease: u64,
    probes: (u32, u32),
    abandoned_after: Option<u64>,
    count_throttled: bool,
}

#[derive(Clone, Copy, Debug)]
enum Window {
    Time(u64),
    Calls(usize),
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Advance(u64),
    Call,
    /// One of the calls in flight ends.
    End(prop::sample::Index, End),
    /// The call that began last ends.
    EndLast(End),
    ForceOpen,
    ForceClosed,
    Disable,
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Success,
    Failure(u64),
    Throttled(u64),
    Neutral,
    Panic,
    Dropped,
}

#[derive(Debug)]
struct Model {
    rules: Rules,
    now: u64,
    phase: Phase,
    /// Counts the changes.
    generation: u32,
    since: u64,
    doublings: u32,
    opened: u64,
    next_probe: u32,
}

#[derive(Debug)]
enum Phase {
    Closed { judged: Vec<Judged>, streak: Vec<u64>, too_few: bool },
    Open { until: Duration },
    HalfOpen { out: Vec<Probe>, last: u64, successes: u32 },
    ForcedOpen,
    Disabled,
}

#[derive(Clone, Copy, Debug)]
struct Judged {
    at: u64,
    failed: bool,
    slow: bool,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    id: u32,
    began: u64,
}

/// A call in flight, as the model knows it.
#[derive(Clone, Copy, Debug)]
struct Ticket {
    generation: u32,
    probe: u32,
    began: u64,
}

impl Rules {
    fn trip(&self) -> Trip {
        let trip = match self.failing {
            Some(share) => Trip::rate(share),
            None => Trip::consecutive(BARE),
        };
        let trip = trip.calls(self.least as u32).span(ms(self.span));
        let trip = match self.window {
            Window::Time(length) => trip.within(ms(length)),
            Window::Calls(calls) => trip.last(calls as u32),
        };
        let trip = self.streak.map_or(trip, |(failures, span)| trip.or_streak(failures, ms(span)));
        self.slow.map_or(trip, |(from, share)| trip.or_slow(ms(from), share))
    }

    fn circuit(&self) -> Circuit {
        let settings = CircuitSettings::new(self.trip())
            .open_time(ms(self.open), ms(self.cap))
            .lease(ms(self.lease))
            .probes(self.probes.0, self.probes.1)
            .count_throttled(self.count_throttled);
        let circuit = Circuit::new(self.abandoned_after.map_or(settings, |after| settings.abandoned_after(ms(after))));
        circuit.seed(1);
        circuit
    }
}

impl Model {
    fn new(rules: Rules) -> Self {
        let phase = Phase::closed();
        Self { rules, now: 0, phase, generation: 0, since: 0, doublings: 0, opened: 0, next_probe: 1 }
    }

    fn state(&self) -> State {
        match &self.phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open { until } if ms(self.now) < *until => State::Open,
            Phase::Open { .. } | Phase::HalfOpen { .. } => State::HalfOpen,
            Phase::ForcedOpen => State::ForcedOpen,
            Phase::Disabled => State::Disabled,
        }
    }

    /// The calls of the window.
    fn window(&self) -> Vec<Judged> {
        let Phase::Closed { judged, .. } = &self.phase else { return Vec::new() };
        match self.rules.window {
            Window::Time(length) => {
                let tenth = length / 10;
                judged.iter().copied().filter(|call| self.now / tenth - call.at / tenth < 10).collect()
            }
            Window::Calls(calls) => {
                let tenth = calls.div_ceil(10);
                let parts: Vec<_> = judged.chunks(tenth).collect();
                parts[parts.len().saturating_sub(calls.div_ceil(tenth))..].concat()
            }
        }
    }

    fn admit(&mut self) -> Option<Ticket> {
        let now = self.now;
        let mut ticket = Ticket { generation: self.generation, probe: 0, began: now };
        match &self.phase {
            Phase::Closed { .. } | Phase::Disabled => return Some(ticket),
            Phase::ForcedOpen => return None,
            Phase::Open { until } if ms(now) < *until => return None,
            Phase::Open { .. } => self.enter(Phase::HalfOpen { out: Vec::new(), last: now, successes: 0 }),
            Phase::HalfOpen { .. } => {}
        }
        let Phase::HalfOpen { out, last, successes } = &mut self.phase else { unreachable!() };
        out.retain(|probe| now < probe.began + self.rules.lease);
        let (at_once, needed) = self.rules.probes;
        let wanted = at_once.min(at_once.max(needed) - *successes) as usize;
        let one_more = *successes == 0 && out.len() < 3 && now >= *last + 5_000;
        if out.len() >= wanted && !one_more {
            return None;
        }
        ticket.generation = self.generation;
        ticket.probe = self.next_probe;
        out.push(Probe { id: ticket.probe, began: now });
        *last = now;
        self.next_probe += 1;
        Some(ticket)
    }

    /// `open_time` is what the circuit chose, if it opened.
    fn end(&mut self, ticket: Ticket, end: End, open_time: Option<Duration>) {
        if ticket.generation != self.generation {
            return;
        }
        let (now, rules) = (self.now, self.rules);
        let took = now - ticket.began;
        let abandoned = end == End::Dropped && rules.abandoned_after.is_some_and(|patience| took >= patience);
        match &mut self.phase {
            Phase::Closed { judged, streak, too_few } => {
                let failed = match end {
                    End::Failure(_) | End::Panic => true,
                    End::Throttled(_) => rules.count_throttled,
                    _ => false,
                };
                if !failed && !abandoned && end != End::Success {
                    return;
                }
                let slow = rules.slow.is_some_and(|(from, _)| took >= from);
                let ends_a_streak = end == End::Success && !streak.is_empty();
                if !abandoned && (rules.failing.is_some() || rules.slow.is_some()) {
                    judged.push(Judged { at: now, failed, slow });
                }
                if end == End::Success {
                    streak.clear();
                } else {
                    streak.push(now);
                }
                let too_many = |(failures, span): (u32, u64)| {
                    streak.first().is_some_and(|first| streak.len() as u32 >= failures && now - first >= span)
                };
                let bare = if rules.failing.is_none() { Some((BARE, 0)) } else { None };
                let by_streak = end != End::Success && bare.into_iter().chain(rules.streak).any(too_many);
                let by_rate = (end != End::Success || slow || ends_a_streak || *too_few) && self.by_rate();
                if by_streak || by_rate {
                    let healthy = (now - self.since) / rules.cap;
                    self.doublings = self.doublings.saturating_sub(healthy as u32);
                    self.open(end.hint(), open_time);
                }
            }
            Phase::HalfOpen { out, successes, .. } => {
                let alive = |probe: &Probe| probe.id == ticket.probe && now < probe.began + rules.lease;
                let Some(place) = out.iter().position(alive) else { return };
                match end {
                    End::Success => {
                        out.remove(place);
                        *successes += 1;
                        if *successes == rules.probes.1 {
                            self.enter(Phase::closed());
                        }
                    }
                    End::Failure(_) | End::Panic => {
                        if self.whole() < rules.cap {
                            self.doublings += 1;
                        }
                        self.open(end.hint(), open_time);
                    }
                    End::Throttled(_) => self.open(end.hint(), open_time),
                    End::Neutral | End::Dropped => drop(out.remove(place)),
                }
            }
            Phase::Open { .. } | Phase::ForcedOpen | Phase::Disabled => {}
        }
    }

    /// Whether one of the rates is too high; notes whether there were too few calls to say.
    fn by_rate(&mut self) -> bool {
        let (rules, window) = (self.rules, self.window());
        let span = match rules.window {
            Window::Time(_) => window.first().map_or(0, |call| self.now - call.at) >= rules.span,
            Window::Calls(_) => true,
        };
        let enough = window.len() >= rules.least && span;
        let Phase::Closed { too_few, .. } = &mut self.phase else { unreachable!() };
        *too_few = !enough;
        let share = |hit: fn(&&Judged) -> bool| window.iter().filter(hit).count() as f64 / window.len() as f64;
        let failing = rules.failing.is_some_and(|most| share(|call| call.failed) >= most);
        let slow = rules.slow.is_some_and(|(_, most)| share(|call| call.slow) >= most);
        enough && (failing || slow)
    }

    fn whole(&self) -> u64 {
        (self.rules.open << self.doublings).min(self.rules.cap)
    }

    fn open(&mut self, hint: u64, open_time: Option<Duration>) {
        let hint = hint.min(60_000);
        let whole = self.whole();
        let time = open_time.expect("the model opens, and so should the circuit");
        assert!(time >= ms(hint.max(whole / 2)) && time <= ms(hint.max(whole)), "{time:?} of {whole} ms");
        self.opened += 1;
        self.enter(Phase::Open { until: ms(self.now) + time });
    }

    fn command(&mut self, step: Step) {
        match step {
            Step::ForceOpen => {
                self.opened += 1;
                self.enter(Phase::ForcedOpen);
            }
            Step::Disable => self.enter(Phase::Disabled),
            Step::Reset => {
                self.doublings = 0;
                self.enter(Phase::closed());
            }
            _ => self.enter(Phase::closed()),
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
        self.since = self.now;
    }

    fn agrees_with(&self, circuit: &Circuit) {
        let snapshot = circuit.snapshot();
        let window = self.window();
        let streak = if let Phase::Closed { streak, .. } = &self.phase { streak.len() } else { 0 };
        let count = |used: bool, hit: fn(&&Judged) -> bool| if used { window.iter().filter(hit).count() } else { 0 };
        assert_eq!(
            (snapshot.state(), snapshot.streak() as usize, snapshot.opened()),
            (self.state(), streak, self.opened),
            "{self:#?}"
        );
        assert_eq!(
            (snapshot.calls() as usize, snapshot.failures() as usize, snapshot.slow() as usize),
            (
                window.len(),
                count(self.rules.failing.is_some(), |call| call.failed),
                count(self.rules.slow.is_some(), |call| call.slow)
            ),
            "{self:#?}"
        );
    }
}

impl Phase {
    const fn closed() -> Self {
        Self::Closed { judged: Vec::new(), streak: Vec::new(), too_few: true }
    }
}

impl End {
    const fn hint(self) -> u64 {
        match self {
            Self::Failure(hint) | Self::Throttled(hint) => hint,
            _ => 0,
        }
    }

    const fn verdict(self) -> Verdict {
        match self {
            Self::Success => Verdict::SUCCESS,
            Self::Failure(hint) => Verdict::TRANSIENT.after(ms(hint)),
            Self::Throttled(hint) => Verdict::THROTTLED.after(ms(hint)),
            Self::Neutral | Self::Panic | Self::Dropped => Verdict::WARMING,
        }
    }
}

/// A call that ends as it is told to.
struct Call {
    end: oneshot::Sender<End>,
    task: task::Spawn<Boxed>,
}

type Boxed = Pin<Box<dyn Future<Output = Result<(), BoxError>>>>;

impl Call {
    /// A call, unless the circuit refuses it.
    fn begin(circuit: &Circuit) -> Result<Self, Open> {
        let (end, told) = oneshot::channel();
        let mut told = Some(told);
        let service = service_fn(move |()| {
            let told = told.take().expect("one call");
            async move {
                match told.await.expect("it is told how to end") {
                    End::Success => Ok(()),
                    End::Panic => resume_unwind(Box::new("on purpose")),
                    end => Err(BoxError::from(end.verdict())),
                }
            }
        });
        let call: Boxed = Box::pin(BreakerLayer::new(circuit.clone()).layer(service).oneshot(()));
        let mut task = task::spawn(call);
        match task.poll() {
            Poll::Pending => Ok(Self { end, task }),
            Poll::Ready(outcome) => Err(*outcome.expect_err("nobody answered").downcast().expect("an open circuit")),
        }
    }

    fn end(mut self, end: End) {
        if end == End::Dropped {
            return;
        }
        self.end.send(end).expect("the call waits for it");
        let polled = catch_unwind(AssertUnwindSafe(|| self.task.poll().is_ready()));
        assert!(polled.unwrap_or(end == End::Panic));
    }
}

async fn play(rules: Rules, steps: Vec<Step>) {
    let circuit = rules.circuit();
    let mut model = Model::new(rules);
    let mut calls = Vec::new();
    for step in steps {
        match step {
            Step::Advance(time) => {
                time::advance(ms(time)).await;
                model.now += time;
            }
            Step::Call => match (Call::begin(&circuit), model.admit()) {
                (Ok(call), Some(ticket)) => calls.push((call, ticket)),
                (Err(open), None) => {
                    let rest = open.retry_after();
                    assert!(rest > Duration::ZERO && rest <= ms(rules.cap.max(60_000)), "{rest:?}");
                }
                (call, ticket) => panic!("admitted: {}, by the model: {ticket:?}; {model:#?}", call.is_ok()),
            },
            Step::End(_, end) | Step::EndLast(end) => {
                let ended = match step {
                    Step::End(which, _) if !calls.is_empty() => Some(calls.remove(which.index(calls.len()))),
                    _ => calls.pop(),
                };
                if let Some((call, ticket)) = ended {
                    call.end(end);
                    model.end(ticket, end, circuit.snapshot().next_probe());
                }
            }
            Step::ForceOpen => circuit.force_open(),
            Step::ForceClosed => circuit.force_closed(),
            Step::Disable => circuit.disable(),
            Step::Reset => circuit.reset(),
        }
        if let Step::ForceOpen | Step::ForceClosed | Step::Disable | Step::Reset = step {
            model.command(step);
        }
        model.agrees_with(&circuit);
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    let window = prop_oneof![
        select(vec![10_000, 20_000, 40_000]).prop_map(Window::Time),
        select(vec![1, 5, 10, 30]).prop_map(Window::Calls),
    ];
    let trip = (
        option::weighted(0.7, select(vec![0.1, 0.25, 0.5, 0.6, 1.0])),
        option::of((1..6_u32, select(vec![0, 1_000]))),
        option::weighted(0.3, (select(vec![1_000, 4_000]), select(vec![0.3, 0.5, 1.0]))),
        1..12_usize,
        select(vec![0, 1_000, 5_000]),
        window,
    );
    let times = (select(vec![1_000, 5_000, 7_125]), select(vec![1, 3, 20]), select(vec![3_000, 8_000, 30_000]));
    let others = ((1..5_u32, 1..5_u32), option::of(select(vec![0, 1_000])), any::<bool>());
    (trip, times, others).prop_map(|(trip, (open, most, lease), (probes, abandoned_after, count_throttled))| {
        let (failing, streak, slow, least, span, window) = trip;
        let least = if let Window::Calls(calls) = window { least.min(calls) } else { least };
        let cap = open * most;
        Rules { failing, streak, slow, least, span, window, open, cap, lease, probes, abandoned_after, count_throttled }
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let hint = || select(vec![0, 0, 0, 20_000, 4_000_000]);
    let end = prop_oneof![
        6 => Just(End::Success),
        8 => hint().prop_map(End::Failure),
        1 => hint().prop_map(End::Throttled),
        1 => Just(End::Neutral),
        1 => Just(End::Panic),
        2 => Just(End::Dropped),
    ];
    let end = end.boxed();
    let time = prop_oneof![
        8 => select(vec![125, 500, 1_000, 2_000]),
        3 => select(vec![4_000, 5_000, 10_000, 15_000, 40_000]),
        1 => select(vec![3_600_000, 100 * 86_400_000]),
    ];
    let time = time.boxed();
    let run = (1..10_usize, time.clone(), end.clone());
    let step = prop_oneof![
        30 => time.prop_map(|time| vec![Step::Advance(time)]),
        50 => Just(vec![Step::Call]),
        40 => (any::<prop::sample::Index>(), end).prop_map(|(which, end)| vec![Step::End(which, end)]),
        15 => run.prop_map(|(calls, time, end)| [Step::Advance(time), Step::Call, Step::EndLast(end)].repeat(calls)),
        1 => select(vec![Step::ForceOpen, Step::ForceClosed, Step::Disable, Step::Reset]).prop_map(|step| vec![step]),
    ];
    vec(step, 0..150).prop_map(|steps| steps.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_circuit_decides_as_the_model_does(rules in rules(), steps in steps()) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(play(rules, steps));
    }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const CASES: u32 = 1_000;
/// The streak of a trip that has no rate.
const BARE: u32 = 20;
