//! The layer against a naive model: a server that counts, and a queue that is a list.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use proptest::{collection::vec, prelude::*};
use tokio::{
    runtime,
    time::{self, Instant},
};
use tower::{BoxError, Layer, Service};
use trysail_core::{Held, Verdict};
use trysail_throttle::{Pace, PaceSettings, Rate, ThrottleLayer};

const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A call comes that costs so much.
    Call(u64),
    /// The oldest, or another, of those that wait is given up.
    GiveUp(usize),
    /// Time passes, and all that were woken are polled.
    Pass(u64),
    /// Another rate of requests holds.
    Requests(u64),
    /// The server refuses the next call as one too many, for so long.
    Throttle(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..40_u64).prop_map(Step::Call),
        1 => (0..8_usize).prop_map(Step::GiveUp),
        4 => (1..3_000_u64).prop_map(Step::Pass),
        1 => (1..20_u64).prop_map(Step::Requests),
        1 => (100..5_000_u64).prop_map(Step::Throttle),
    ]
}

/// What the server saw.
#[derive(Debug, Default)]
struct Seen {
    sent: Vec<(Instant, u32, u64)>,
    throttles: Option<Duration>,
    paused_until: Option<Instant>,
}

#[derive(Clone)]
struct Server(Rc<RefCell<Seen>>);

impl Service<(u32, u64)> for Server {
    type Response = ();
    type Error = BoxError;
    type Future = std::future::Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (call, cost): (u32, u64)) -> Self::Future {
        let mut seen = self.0.borrow_mut();
        assert!(seen.paused_until.is_none_or(|until| Instant::now() >= until), "all calls pause");
        seen.sent.push((Instant::now(), call, cost));
        std::future::ready(match seen.throttles.take() {
            Some(hint) => {
                seen.paused_until = Some(Instant::now() + hint);
                Err(Verdict::THROTTLED.after(hint).into())
            }
            None => Ok(()),
        })
    }
}

type Call = (u32, Pin<Box<dyn Future<Output = Result<(), BoxError>>>>);

/// Polls all once, which is what wakes would do at the latest.
fn poll(waiting: &mut Vec<Call>, refused: &mut Vec<(u32, Held)>) {
    let mut cx = Context::from_waker(Waker::noop());
    waiting.retain_mut(|(call, future)| match future.as_mut().poll(&mut cx) {
        Poll::Pending => true,
        Poll::Ready(outcome) => {
            refused.extend(outcome.err().and_then(|error| Some((*call, *error.downcast_ref::<Held>()?))));
            false
        }
    });
}

async fn plays(steps: Vec<Step>) {
    let cost = Rate::per_second(20).burst(30);
    let pace = Pace::new(PaceSettings::from(Rate::per_second(5).burst(5)).cost(cost));
    let seen = Rc::new(RefCell::new(Seen::default()));
    let layer = ThrottleLayer::new(pace.clone()).cost(|(_, cost): &(u32, u64)| *cost).most(30_000 * MS);
    let mut service = layer.layer(Server(Rc::clone(&seen)));
    let (mut waiting, mut refused) = (Vec::<Call>::new(), Vec::new());
    let (mut number, mut most_requests, mut dropped) = (0, 5, Vec::new());
    for step in steps {
        match step {
            Step::Call(cost) => {
                waiting.push((number, Box::pin(service.call((number, cost)))));
                number += 1;
            }
            Step::GiveUp(which) if which < waiting.len() => dropped.push(waiting.remove(which).0),
            Step::GiveUp(_) => {}
            Step::Pass(time) => {
                for _ in 0..time.div_ceil(10) {
                    time::advance(10 * MS).await;
                    poll(&mut waiting, &mut refused);
                }
            }
            Step::Requests(rate) => {
                most_requests = most_requests.max(rate);
                pace.update(|settings| settings.requests(Rate::per_second(rate).burst(5)));
            }
            Step::Throttle(hint) => seen.borrow_mut().throttles = Some(Duration::from_millis(hint)),
        }
        poll(&mut waiting, &mut refused);
    }
    // Whoever is left has an end within the time it may wait, and what was given up took nothing along.
    for _ in 0..3_200 {
        time::advance(10 * MS).await;
        poll(&mut waiting, &mut refused);
    }
    assert!(waiting.is_empty(), "nobody is forgotten: {pace:?}");
    assert_eq!(pace.snapshot().waiting(), 0);
    pace.reset();
    time::advance(60_000 * MS).await;
    let seen = seen.borrow();
    assert_eq!(
        seen.sent.len() + refused.len() + dropped.iter().filter(|of| !is_sent(&seen, **of)).count(),
        number as usize
    );
    assert!(seen.sent.is_sorted_by_key(|(_, call, _)| *call), "in their order: {:?}", seen.sent);

    // In any time, no more than the burst and what it brings; one call may go into debt.
    for (first, (from, ..)) in seen.sent.iter().enumerate() {
        let mut costs = 0;
        for (count, (at, _, cost)) in seen.sent[first..].iter().enumerate() {
            let seconds = (*at - *from).as_secs_f64();
            assert!(count as f64 + 1.0 <= 5.0 + most_requests as f64 * seconds + 0.01, "{count} in {seconds}");
            assert!(f64::from(costs) <= 30.0 + 40.0 + 20.0 * seconds + 0.01, "{costs} in {seconds}");
            costs += u32::try_from(*cost).expect("a small cost");
        }
    }
    let snapshot = pace.snapshot();
    for (level, full) in [(snapshot.requests(), 5.0), (snapshot.cost(), 30.0)] {
        assert!(level.is_some_and(|level| (level - full).abs() < 0.001), "nothing is lost for good: {level:?}");
    }
}

fn is_sent(seen: &Seen, call: u32) -> bool {
    seen.sent.iter().any(|(_, sent, _)| *sent == call)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_comes_calls_keep_their_order_and_the_rates_and_none_is_forgotten(steps in vec(step(), 1..60)) {
        let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(plays(steps));
    }
}
