use tower::Service;

use crate::{drive, fault::Fault, nothing::Nothing};

/// A layer or a stack of them, around a service that does nothing.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The same without layers.
    pub(crate) bare: &'static str,
    pub(crate) make: fn(Answer) -> Stacked,
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
    pub(crate) fn is_bare(&self) -> bool {
        self.name == self.bare
    }
}

impl Stacked {
    /// A service that is asked what `request` makes of the number of the call.
    pub(crate) fn new<S, Req>(service: S, request: impl Fn(u64) -> Req + Copy + Sync + 'static) -> Self
    where
        S: Service<Req, Error: Into<Fault>> + Clone + Send + Sync + 'static,
    {
        let calls = Box::new(move |calls| drive::calls(service.clone(), request, calls));
        Self { calls, future: size_of::<S::Future>() }
    }
}

impl Answer {
    pub(crate) const ALL: [Self; 2] = [Self::Ready, Self::Pending];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Pending => "pending",
        }
    }

    /// A service that answers so.
    pub(crate) const fn nothing(self) -> Nothing {
        Nothing { pending: matches!(self, Self::Pending) }
    }
}
