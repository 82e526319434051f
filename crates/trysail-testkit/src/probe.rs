//! A service that watches how it is used.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tower_service::Service;

/// A service that watches how it is used: it lends permits in `poll_ready`, as a limit of concurrency does, and
/// panics if it is called without one.
///
/// Its calls hang, or end at once, as they are told by [`Pool::answer`].
#[derive(Debug)]
pub struct Probe<Res, Err> {
    pool: Pool<Res, Err>,
    permit: Option<Permit<Res, Err>>,
}

/// What all clones of a [`Probe`] share.
pub struct Pool<Res, Err> {
    shared: Arc<Mutex<Shared<Res, Err>>>,
}

struct Shared<Res, Err> {
    free: usize,
    broken: Option<Err>,
    calls: usize,
    answers: VecDeque<Result<Res, Err>>,
    wakers: Vec<Waker>,
}

/// Goes back to its pool when it is dropped.
struct Permit<Res, Err>(Pool<Res, Err>);

/// An answer, or none.
#[derive(Debug)]
pub struct ResponseFuture<Res, Err> {
    answer: Option<Result<Res, Err>>,
    _permit: Permit<Res, Err>,
}

impl<Res, Err> Pool<Res, Err> {
    /// A pool with so many permits.
    pub fn new(permits: usize) -> Self {
        let shared = Shared { free: permits, broken: None, calls: 0, answers: VecDeque::new(), wakers: Vec::new() };
        Self { shared: Arc::new(Mutex::new(shared)) }
    }

    /// A service that takes its permits from here.
    pub fn probe(&self) -> Probe<Res, Err> {
        Probe { pool: self.clone(), permit: None }
    }

    /// The answer of the next call that is not yet provided for; calls without one hang.
    pub fn answer(&self, answer: Result<Res, Err>) {
        self.lock().answers.push_back(answer);
    }

    /// Makes the next `poll_ready` fail.
    pub fn fail_readiness(&self, error: Err) {
        self.lock().broken = Some(error);
    }

    /// Adds a permit.
    pub fn release(&self) {
        let mut shared = self.lock();
        shared.free += 1;
        let wakers = std::mem::take(&mut shared.wakers);
        drop(shared);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// How many permits are free.
    pub fn free(&self) -> usize {
        self.lock().free
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    fn lock(&self) -> MutexGuard<'_, Shared<Res, Err>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Req, Res, Err> Service<Req> for Probe<Res, Err>
where
    Res: Unpin,
    Err: Unpin,
{
    type Response = Res;
    type Error = Err;
    type Future = ResponseFuture<Res, Err>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Err>> {
        let mut shared = self.pool.lock();
        if let Some(error) = shared.broken.take() {
            return Poll::Ready(Err(error));
        }
        if self.permit.is_some() {
            return Poll::Ready(Ok(()));
        }
        if shared.free == 0 {
            shared.wakers.push(cx.waker().clone());
            return Poll::Pending;
        }
        shared.free -= 1;
        drop(shared);
        self.permit = Some(Permit(self.pool.clone()));
        Poll::Ready(Ok(()))
    }

    /// # Panics
    ///
    /// If this very service was not ready.
    fn call(&mut self, _: Req) -> Self::Future {
        let permit = self.permit.take().expect("this service was polled ready before it was called");
        let mut shared = self.pool.lock();
        shared.calls += 1;
        ResponseFuture { answer: shared.answers.pop_front(), _permit: permit }
    }
}

impl<Res: Unpin, Err: Unpin> Future for ResponseFuture<Res, Err> {
    type Output = Result<Res, Err>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.answer.take().map_or(Poll::Pending, Poll::Ready)
    }
}

/// Born unready.
impl<Res, Err> Clone for Probe<Res, Err> {
    fn clone(&self) -> Self {
        self.pool.probe()
    }
}

impl<Res, Err> Clone for Pool<Res, Err> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<Res, Err> fmt::Debug for Pool<Res, Err> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.lock();
        f.debug_struct("Pool").field("free", &shared.free).field("calls", &shared.calls).finish_non_exhaustive()
    }
}

impl<Res, Err> fmt::Debug for Permit<Res, Err> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}

impl<Res, Err> Drop for Permit<Res, Err> {
    fn drop(&mut self) {
        self.0.release();
    }
}
