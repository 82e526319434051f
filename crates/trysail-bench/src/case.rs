use tower::Service;

use crate::drive::{self, Nothing};

/// A layer or a stack of them, to be put around a service that does nothing.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) around: fn(Nothing) -> Stacked,
}

/// A service that is made.
pub(crate) struct Stacked {
    /// Makes so many calls of a clone, which shares what clones share, and says how many were answered.
    pub(crate) calls: Box<dyn Fn(u64) -> u64 + Sync>,
    /// How many bytes the future of a call takes, without what it has boxed.
    pub(crate) future: usize,
}

/// Whether the service below answers at once, or after one poll.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Ready,
    Pending,
}

impl Case {
    pub(crate) fn stack(&self, answer: Answer) -> Stacked {
        (self.around)(Nothing { pending: answer == Answer::Pending })
    }
}

impl Stacked {
    pub(crate) fn new<S>(service: S) -> Self
    where
        S: Service<u64, Response = u64> + Clone + Send + Sync + 'static,
    {
        let calls = Box::new(move |calls| drive::calls(service.clone(), calls));
        Self { calls, future: size_of::<S::Future>() }
    }
}

impl Answer {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Pending => "pending",
        }
    }
}
