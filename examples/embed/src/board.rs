//! What all batches tell while they run, for the progress bar and the summary.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;
use trysail::{
    Class, Pace, RetryReport,
    retry::{Reported, WaitFor, Waiting},
};

use crate::{calls::Calls, pace::waits_for, sharing::Sharing};

#[derive(Debug, Default)]
pub(crate) struct Board {
    pace: Pace,
    requests: AtomicU64,
    calls: AtomicU64,
    lines: AtomicU64,
    read: AtomicU64,
    live: Mutex<Live>,
    /// Those that are over.
    over: Mutex<Calls>,
    sharing: Mutex<Sharing>,
}

/// What the calls wait for, in words.
#[derive(Debug)]
pub(crate) struct Waits {
    pub(crate) what: String,
    /// Why, if the server has said so.
    pub(crate) failure: Option<Arc<str>>,
}

#[derive(Debug, Default)]
struct Live {
    waits: BTreeMap<u64, Waiting>,
    /// The last failure of each class, and of all.
    failures: [Arc<str>; Class::ALL.len()],
    failure: Arc<str>,
}

impl Board {
    /// Of calls that keep `pace`.
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, ..Self::default() }
    }

    /// A request goes out.
    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    /// How many have gone out.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// So many `lines` are done with, which took so many bytes to read.
    pub(crate) fn done(&self, lines: u64, read: u64) {
        self.lines.fetch_add(lines, Relaxed);
        self.read.fetch_add(read, Relaxed);
        self.sharing.lock().unwrap_or_else(PoisonError::into_inner).see(&self.pace.snapshot());
    }

    /// Whom the pace was shared with while lines were done with.
    pub(crate) fn sharing(&self) -> Sharing {
        *self.sharing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many lines are done with, and how many bytes they took to read.
    pub(crate) fn so_far(&self) -> (u64, u64) {
        (self.lines.load(Relaxed), self.read.load(Relaxed))
    }

    /// A call is over, after so long.
    pub(crate) fn call(&self, report: &RetryReport, took: Duration) {
        self.over.lock().unwrap_or_else(PoisonError::into_inner).add(report, took);
    }

    /// What all calls did that are over.
    pub(crate) fn calls(&self) -> Calls {
        self.over.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An attempt has failed.
    pub(crate) fn failure(&self, class: Class, reason: Arc<str>) {
        let mut live = self.live();
        live.failure = reason;
        live.failures[class.index()] = Arc::clone(&live.failure);
    }

    /// Runs `call`, and shows what it waits for.
    pub(crate) async fn show<F: Future>(&self, call: Reported<F>) -> (F::Output, RetryReport) {
        let shown = Shown { board: self, id: self.calls.fetch_add(1, Relaxed) };
        let mut call = pin!(call);
        poll_fn(|cx| {
            let polled = call.as_mut().poll(cx);
            shown.set(call.so_far().waiting());
            polled
        })
        .await
    }

    /// What the calls wait for at `now`; nothing if it is not worth a word.
    pub(crate) fn waits(&self, now: Instant) -> Option<Waits> {
        let (live, pace) = (self.live(), self.pace.snapshot());
        let for_turn = waits_for(&pace).filter(|(_, left)| *left >= WORTH_A_WORD);
        let next = live.waits.values().min_by_key(|wait| wait.until());
        let next = next.map(|wait| (wait, wait.until().saturating_duration_since(now)));
        let (what, left, failure) = match (for_turn, next.filter(|(_, left)| *left >= WORTH_A_WORD)) {
            // A pause is that of all calls, those included that will be repeated after it.
            (Some((what, left)), _) if pace.paused().is_some() => (what, left, Some(live.last(Class::Throttled))),
            (_, Some((wait, left))) => {
                let (what, failure) = live.why(wait);
                (what.to_owned(), left, Some(failure))
            }
            (Some((what, left)), None) => (what, left, None),
            (None, None) => return None,
        };
        let (count, seconds) = (live.waits.len() + pace.waiting(), left.as_secs_f64());
        let what = format!("{count} waiting for {what}, {seconds:.1} s");
        Some(Waits { what, failure: failure.filter(|said| !said.is_empty()).cloned() })
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// What a call waits for before it is repeated, and what has made it.
    fn why(&self, wait: &Waiting) -> (&'static str, &Arc<str>) {
        let class = wait.verdict().class();
        match (wait.what(), class) {
            (WaitFor::Circuit, _) => ("the circuit", &self.failure),
            (WaitFor::Budget, _) => ("the retry budget", self.last(class)),
            (WaitFor::WarmUp, _) => ("the model to load", self.last(class)),
            (_, Class::Throttled) => ("the pause of the server", self.last(class)),
            (_, Class::Malformed) => ("another try after a bad answer", self.last(class)),
            _ => ("another try of a server in trouble", self.last(class)),
        }
    }

    const fn last(&self, class: Class) -> &Arc<str> {
        &self.failures[class.index()]
    }
}

/// A call's place on the board, cleared even if the call is dropped.
struct Shown<'a> {
    board: &'a Board,
    id: u64,
}

impl Shown<'_> {
    fn set(&self, waiting: Option<Waiting>) {
        let mut live = self.board.live();
        match waiting {
            Some(waiting) => live.waits.insert(self.id, waiting),
            None => live.waits.remove(&self.id),
        };
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.set(None);
    }
}

const WORTH_A_WORD: Duration = Duration::from_millis(100);
