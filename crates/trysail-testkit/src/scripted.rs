//! A service that answers from a script.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Sleep, sleep};
use tower_service::Service;

/// A service whose answers are the steps of a script, in order; always ready.
///
/// Clones share the script and what was recorded. A call after the last step panics.
pub struct Scripted<Req, Res, Err>(Arc<Mutex<Script<Req, Res, Err>>>);

/// How one call goes.
#[derive(Clone, Debug)]
pub enum Step<Res, Err> {
    /// It ends at once.
    Answer(Result<Res, Err>),
    /// It ends after a while, in tokio's time.
    After(Duration, Result<Res, Err>),
    /// It never ends.
    Hang,
}

struct Script<Req, Res, Err> {
    steps: VecDeque<Step<Res, Err>>,
    requests: Vec<Req>,
}

impl<Req, Res, Err> Scripted<Req, Res, Err> {
    /// A service that follows `steps`; a `Result` is a step, too.
    pub fn new(steps: impl IntoIterator<Item = impl Into<Step<Res, Err>>>) -> Self {
        Self(Arc::new(Mutex::new(Script { steps: steps.into_iter().map(Into::into).collect(), requests: Vec::new() })))
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.script().requests.len()
    }

    /// What it was called with.
    pub fn requests(&self) -> Vec<Req>
    where
        Req: Clone,
    {
        self.script().requests.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script<Req, Res, Err>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Req, Res, Err> Service<Req> for Scripted<Req, Res, Err> {
    type Response = Res;
    type Error = Err;
    type Future = ResponseFuture<Res, Err>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Err>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let mut script = self.script();
        script.requests.push(request);
        let (wait, answer) = match script.steps.pop_front().expect("the script has a step for each call") {
            Step::Answer(answer) => (None, Some(answer)),
            Step::After(wait, answer) => (Some(sleep(wait)), Some(answer)),
            Step::Hang => (None, None),
        };
        ResponseFuture { wait, answer }
    }
}

impl<Req, Res, Err> Clone for Scripted<Req, Res, Err> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Req, Res, Err> fmt::Debug for Scripted<Req, Res, Err> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scripted after {} calls", self.calls())
    }
}

impl<Res, Err> From<Result<Res, Err>> for Step<Res, Err> {
    fn from(answer: Result<Res, Err>) -> Self {
        Self::Answer(answer)
    }
}

pin_project_lite::pin_project! {
    /// The answer of a [`Scripted`] service.
    #[derive(Debug)]
    pub struct ResponseFuture<Res, Err> {
        #[pin]
        wait: Option<Sleep>,
        answer: Option<Result<Res, Err>>,
    }
}

impl<Res, Err> Future for ResponseFuture<Res, Err> {
    type Output = Result<Res, Err>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(wait) = this.wait.as_pin_mut() {
            ready!(wait.poll(cx));
        }
        this.answer.take().map_or(Poll::Pending, Poll::Ready)
    }
}
