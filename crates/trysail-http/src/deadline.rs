use std::time::Duration;

use http::Request;
use tokio::time::Instant;
use trysail_core::Limit;

/// When the answer to a request stops being of use; lives in the request's extensions.
///
/// [`Idempotent`](crate::Idempotent) and [`OrDeadline`] read it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// `time` from now.
    pub fn within(time: Duration) -> Self {
        Self(later(Instant::now(), time))
    }

    /// At `instant`.
    pub const fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// The time left, zero once it has passed.
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub(crate) fn left_of<B>(request: &Request<B>) -> Option<Duration> {
        request.extensions().get().map(Self::left)
    }
}

/// A limit that also reads the request's own [`Deadline`]: the smaller of the two holds.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_core::Limit;
/// # use trysail_http::{Deadline, OrDeadline};
/// let limit = OrDeadline(Duration::from_secs(60));
/// let mut request = http::Request::new(());
/// assert_eq!(limit.left(&request), None);
///
/// request.extensions_mut().insert(Deadline::within(Duration::ZERO));
/// assert_eq!(limit.limit(&request), Some(Duration::from_secs(60)));
/// assert_eq!(limit.left(&request), Some(Duration::ZERO));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OrDeadline<L>(pub L);

impl<L, B> Limit<Request<B>> for OrDeadline<L>
where
    L: Limit<Request<B>>,
{
    fn limit(&self, request: &Request<B>) -> Option<Duration> {
        self.0.limit(request)
    }

    fn left(&self, request: &Request<B>) -> Option<Duration> {
        let own = self.0.left(request);
        let deadline = Deadline::left_of(request);
        own.into_iter().chain(deadline).min()
    }
}

/// A limit that a single request sets for itself, in its extensions; read by [`OrOwn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimit(pub Duration);

/// A limit that a request's own [`TimeLimit`] replaces, be it shorter or longer.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_core::Limit;
/// # use trysail_http::{OrOwn, TimeLimit};
/// let limit = OrOwn(Duration::from_secs(20));
/// let mut request = http::Request::new(());
/// assert_eq!(limit.limit(&request), Some(Duration::from_secs(20)));
///
/// request.extensions_mut().insert(TimeLimit(Duration::from_secs(90)));
/// assert_eq!(limit.limit(&request), Some(Duration::from_secs(90)));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OrOwn<L>(pub L);

impl<L, B> Limit<Request<B>> for OrOwn<L>
where
    L: Limit<Request<B>>,
{
    fn limit(&self, request: &Request<B>) -> Option<Duration> {
        request.extensions().get().map_or_else(|| self.0.limit(request), |TimeLimit(own)| Some(*own))
    }

    fn left(&self, request: &Request<B>) -> Option<Duration> {
        self.0.left(request)
    }
}

/// `now + time`, or decades later where that is beyond the clock.
pub(crate) fn later(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or_else(|| now + DECADES)
}

const DECADES: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
