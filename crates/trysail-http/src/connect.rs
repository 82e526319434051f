//! A limit on connecting.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Uri;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tower_service::Service;
use trysail_core::{Elapsed, Limit, Scope};

use crate::deadline::later;

/// How long connecting may take unless set: just over one retransmission of a lost SYN.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);

/// Limits how long a connector takes, from the look-up of the name to the end of the handshake.
///
/// Put it around the outermost connector. Readiness is the connector's own; a limit that strikes is an [`Elapsed`].
#[derive(Clone, Copy, Debug)]
pub struct ConnectTimeout<C, L = Duration> {
    inner: C,
    limit: L,
}

impl<C> ConnectTimeout<C> {
    /// `connector` with [`CONNECT_TIMEOUT`].
    pub const fn new(connector: C) -> Self {
        Self { inner: connector, limit: CONNECT_TIMEOUT }
    }
}

impl<C, L> ConnectTimeout<C, L> {
    /// Another limit: a `Duration` or anything else that is a [`Limit`] of an address.
    pub fn limit<M>(self, limit: M) -> ConnectTimeout<C, M> {
        ConnectTimeout { inner: self.inner, limit }
    }
}

impl<C, L> Service<Uri> for ConnectTimeout<C, L>
where
    C: Service<Uri>,
    C::Error: Into<Box<dyn Error + Send + Sync>>,
    L: Limit<Uri>,
{
    type Response = C::Response;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Connecting<C::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let limit = self.limit.limit(&destination);
        let inner = (limit != Some(Duration::ZERO)).then(|| self.inner.call(destination));
        Connecting { inner, limit, timer: None }
    }
}

pin_project! {
    /// The future of [`ConnectTimeout`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Connecting<F> {
        // Absent where the limit was zero.
        #[pin]
        inner: Option<F>,
        limit: Option<Duration>,
        // hyper-util wants the future to be `Unpin`.
        timer: Option<Pin<Box<Sleep>>>,
    }
}

impl<F, T, E> Future for Connecting<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = Result<T, Box<dyn Error + Send + Sync>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(Elapsed::new(Scope::Connect, Duration::ZERO).unsent().into()));
        };
        if let Poll::Ready(connected) = inner.poll(cx) {
            return Poll::Ready(connected.map_err(Into::into));
        }
        let Some(limit) = *this.limit else { return Poll::Pending };
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(later(Instant::now(), limit))));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(Elapsed::new(Scope::Connect, limit).into()))
    }
}

impl<F> fmt::Debug for Connecting<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").field("limit", &self.limit).finish_non_exhaustive()
    }
}
