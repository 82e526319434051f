//! What a call pays for its retries, and what it gets back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::time;
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, Service};
use trysail_core::{Cause, Class, Open, Verdict};
use trysail_retry::{Backoff, Budget, Jitter, Retry, RetryLayer};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Answers by its script: each answer takes that long, or is there at once. It can be made unready.
#[derive(Clone)]
struct Server {
    script: Arc<[(Option<Duration>, Verdict)]>,
    calls: Arc<AtomicUsize>,
    ready: Arc<AtomicBool>,
}

impl Service<()> for Server {
    type Response = ();
    type Error = Verdict;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<(), Verdict>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Verdict>> {
        if self.ready.load(Relaxed) { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn call(&mut self, (): ()) -> Self::Future {
        let (takes, answer) = self.script[self.calls.fetch_add(1, Relaxed)];
        Box::pin(async move {
            if let Some(takes) = takes {
                time::sleep(takes).await;
            }
            if answer == Verdict::SUCCESS { Ok(()) } else { Err(answer) }
        })
    }
}

fn server(script: impl IntoIterator<Item = (Option<Duration>, Verdict)>) -> Server {
    Server { script: script.into_iter().collect(), calls: Arc::default(), ready: Arc::new(true.into()) }
}

fn at_once(verdicts: impl IntoIterator<Item = Verdict>) -> Server {
    server(verdicts.into_iter().map(|verdict| (None, verdict)))
}

fn layer(budget: &Budget) -> RetryLayer {
    RetryLayer::new(Backoff::constant(100 * MS).jitter(Jitter::None)).budget(budget.clone())
}

fn retries(budget: &Budget) -> f64 {
    budget.snapshot().retries
}

/// Polls one call, 100 ms apart, until it is over; before each but the first poll, `looks` sees how often it was.
fn open() -> Verdict {
    use trysail_core::Classified;
    Open::new(5 * SECOND, Cause::Streak, Some(Class::Transient)).verdict()
}

fn call(budget: &Budget, server: &Server) -> task::Spawn<<Retry<Server> as Service<()>>::Future> {
    task::spawn(layer(budget).layer(server.clone()).call(()))
}

/// Far enough for a sleep of 100 ms to be over, and not for a free retry worth mentioning.
async fn sleep_ends() {
    time::advance(101 * MS).await;
}

#[tokio::test(start_paused = true)]
async fn a_retry_cut_off_in_flight_is_paid_for() {
    // As an attempt ends that the request's own time cuts: refused, but not before it was sent.
    let budget = Budget::default();
    let server = server([(None, Verdict::TRANSIENT), (Some(50 * MS), Verdict::REFUSED)]);
    let mut call = call(&budget, &server);
    assert_pending!(call.poll());
    sleep_ends().await;
    assert_pending!(call.poll());
    time::advance(51 * MS).await;
    assert!(assert_ready!(call.poll()).is_err());
    drop(call);
    assert!((2.0..2.1).contains(&retries(&budget)), "{}", retries(&budget));
}

#[tokio::test(start_paused = true)]
async fn a_retry_refused_before_it_was_sent_gets_its_charge_back() {
    let budget = Budget::default();
    let server = at_once([Verdict::TRANSIENT, open()]);
    let mut call = call(&budget, &server);
    assert_pending!(call.poll());
    assert_eq!(retries(&budget), 2.0);
    sleep_ends().await;
    assert_eq!(assert_ready!(call.poll()), Err(Verdict::TRANSIENT));
    assert_eq!(retries(&budget), 3.0);
}
