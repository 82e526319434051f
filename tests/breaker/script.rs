//! The script language of the tables: what a circuit is told, and what it must answer.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    task::Poll::{self, Pending},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::oneshot, time};
use tokio_test::task;
use tower::{BoxError, Layer, ServiceExt, service_fn};
use trysail::{BreakerLayer, Circuit, Open, Verdict, breaker::State};

type Answer = Result<(), BoxError>;

/// A call in flight, until it is told how to end.
pub(super) struct Call {
    end: oneshot::Sender<Answer>,
    task: task::Spawn<Pin<Box<dyn Future<Output = Answer>>>>,
}

impl Call {
    pub(super) fn begin(circuit: &Circuit) -> Result<Self, Open> {
        let (end, told) = oneshot::channel();
        let mut told = Some(told);
        let service = service_fn(move |()| {
            let told = told.take().expect("one call");
            async move { told.await.expect("it is told") }
        });
        let call: Pin<Box<dyn Future<Output = Answer>>> =
            Box::pin(BreakerLayer::new(circuit.clone()).layer(service).oneshot(()));
        let mut task = task::spawn(call);
        match task.poll() {
            Pending => Ok(Self { end, task }),
            Poll::Ready(outcome) => Err(*outcome.expect_err("nobody answered").downcast().expect("a refusal")),
        }
    }

    pub(super) fn end(mut self, verdict: Verdict) {
        let answer = if verdict == Verdict::SUCCESS { Ok(()) } else { Err(verdict.into()) };
        self.end.send(answer).expect("the call waits");
        assert!(self.task.poll().is_ready());
    }
}

/// A circuit that goes through a script.
pub(super) struct Play {
    pub(super) circuit: Circuit,
    /// How long the script thinks that the circuit is open. Ours is for between half of that and all of it, so while it
    /// is open a script's time is stretched to ours.
    open: Duration,
    left: Duration,
    opened: u64,
    in_flight: VecDeque<(String, Call)>,
    pub(super) refused: u32,
}

impl Play {
    pub(super) fn new(circuit: Circuit, open: Duration) -> Self {
        circuit.update(|settings| settings.open_time(open, open));
        Self { circuit, open, left: open, opened: 0, in_flight: VecDeque::new(), refused: 0 }
    }

    pub(super) async fn run(&mut self, script: &Value) {
        for step in script.as_array().expect("a script") {
            self.step(step.as_str().expect("a step")).await;
        }
    }

    /// Runs a script whose outcomes without a time between them are of calls made at once.
    pub(super) async fn run_together(&mut self, script: &Value) {
        let steps: Vec<_> = script.as_array().expect("a script").iter().filter_map(Value::as_str).collect();
        for steps in steps.chunk_by(|one, next| verdict(one).is_some() && verdict(next).is_some()) {
            if verdict(steps[0]).is_none() {
                self.step(steps[0]).await;
                continue;
            }
            let calls: Vec<_> = steps.iter().map(|step| (self.admitted(step), step)).collect();
            calls.into_iter().for_each(|(call, step)| call.end(verdict(step).expect("an outcome")));
        }
    }

    pub(super) async fn step(&mut self, step: &str) {
        if let Some(verdict) = verdict(step.strip_prefix("probe ").unwrap_or(step)) {
            return self.admitted(step).end(verdict);
        }
        if let Some(state) = step.strip_prefix('?') {
            return assert_eq!(self.state(), state);
        }
        if let Some(time) = step.strip_prefix('+') {
            let whole = self.open;
            return self.advance(time.parse().map_or(whole, Duration::from_millis)).await;
        }
        if let Some((name, verdict)) = step.strip_prefix("complete").and_then(|step| step.split_once('=')) {
            let place = self.in_flight.iter().position(|(begun, _)| begun == name.trim());
            let (_, call) = self.in_flight.remove(place.expect("a call in flight")).expect("it is there");
            return call.end(self::verdict(verdict).expect("an outcome"));
        }
        match step {
            "R" => {
                assert!(Call::begin(&self.circuit).is_err(), "refused");
                self.refused += 1;
            }
            "trip" => {
                while self.circuit.state() == State::Closed {
                    self.admitted(step).end(Verdict::TRANSIENT);
                }
            }
            "half_open" => {
                Box::pin(self.step("trip")).await;
                self.advance(self.open).await;
            }
            "forced_open" => self.circuit.force_open(),
            "disabled" => self.circuit.disable(),
            "assert_counts=0" => {
                let now = self.circuit.snapshot();
                assert_eq!((now.calls(), now.failures(), now.streak()), (0, 0, 0));
            }
            // P, or P1=start.
            _ => {
                let name = step.split('=').next().filter(|name| *name != "P").unwrap_or_default().to_owned();
                assert!(step.starts_with('P'), "{step}");
                let call = self.admitted(step);
                self.in_flight.push_back((name, call));
            }
        }
    }

    fn admitted(&self, step: &str) -> Call {
        Call::begin(&self.circuit).unwrap_or_else(|open| panic!("{step}: {open}"))
    }

    async fn advance(&mut self, time: Duration) {
        let now = self.circuit.snapshot();
        let Some(rest) = now.next_probe().filter(|_| now.state() == State::Open) else {
            return time::advance(time).await;
        };
        if self.opened != now.opened() {
            (self.opened, self.left) = (now.opened(), self.open);
        }
        match self.left.checked_sub(time) {
            Some(left) if !left.is_zero() => {
                time::advance(rest.mul_f64(time.as_secs_f64() / self.left.as_secs_f64())).await;
                self.left = left;
            }
            // Calls are let through from the next whole millisecond on.
            _ => time::advance(rest + Duration::from_millis(1) + (time - self.left)).await,
        }
    }

    fn state(&self) -> &'static str {
        match self.circuit.state() {
            State::Closed => "CLOSED",
            State::Open => "OPEN",
            State::HalfOpen => "HALF_OPEN",
            _ => "BY HAND",
        }
    }
}

/// What the letters of the tables stand for.
pub(super) fn verdict(letter: &str) -> Option<Verdict> {
    match letter {
        "S" => Some(Verdict::SUCCESS),
        "F" => Some(Verdict::TRANSIENT),
        "X" => Some(Verdict::TRANSIENT.neutral()),
        "T" => Some(Verdict::THROTTLED),
        _ => None,
    }
}
