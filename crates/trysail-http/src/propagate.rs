//! A deadline that crosses from one process to the next, as the milliseconds that are left.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Request};
use tower_layer::Layer;
use tower_service::Service;

use crate::Deadline;

/// The header that both layers use unless told otherwise.
pub const DEADLINE: HeaderName = HeaderName::from_static("x-deadline-ms");

/// Client side: writes what is left of the request's [`Deadline`] into a header.
///
/// Put it below the retry, so that each attempt says what is left then. A request without a deadline goes as it is.
#[derive(Clone, Debug)]
pub struct SendDeadlineLayer {
    header: HeaderName,
}

/// Server side: reads the header into a [`Deadline`] among the request's extensions.
///
/// The smaller holds of this and a deadline that is there already. What is no whole number of milliseconds is ignored.
#[derive(Clone, Debug)]
pub struct TakeDeadlineLayer {
    header: HeaderName,
}

/// A service that sends deadlines on; made by [`SendDeadlineLayer`].
#[derive(Clone, Debug)]
pub struct SendDeadline<S> {
    inner: S,
    header: HeaderName,
}

/// A service that takes deadlines up; made by [`TakeDeadlineLayer`].
#[derive(Clone, Debug)]
pub struct TakeDeadline<S> {
    inner: S,
    header: HeaderName,
}

impl SendDeadlineLayer {
    /// A layer that writes [`DEADLINE`].
    pub const fn new() -> Self {
        Self { header: DEADLINE }
    }

    /// Another header.
    pub fn header(self, header: HeaderName) -> Self {
        Self { header }
    }
}

impl TakeDeadlineLayer {
    /// A layer that reads [`DEADLINE`].
    pub const fn new() -> Self {
        Self { header: DEADLINE }
    }

    /// Another header.
    pub fn header(self, header: HeaderName) -> Self {
        Self { header }
    }
}

impl<S> Layer<S> for SendDeadlineLayer {
    type Service = SendDeadline<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SendDeadline { inner, header: self.header.clone() }
    }
}

impl<S> Layer<S> for TakeDeadlineLayer {
    type Service = TakeDeadline<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TakeDeadline { inner, header: self.header.clone() }
    }
}

impl<S, B> Service<Request<B>> for SendDeadline<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(left) = Deadline::left_of(&request) {
            let ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            request.headers_mut().insert(self.header.clone(), HeaderValue::from(ms));
        }
        self.inner.call(request)
    }
}

impl<S, B> Service<Request<B>> for TakeDeadline<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let sent = request.headers().get(&self.header).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        if let Some(ms) = sent {
            let sent = Deadline::within(Duration::from_millis(ms));
            let own = request.extensions().get().copied();
            request.extensions_mut().insert(own.map_or(sent, |own: Deadline| own.min(sent)));
        }
        self.inner.call(request)
    }
}

impl Default for SendDeadlineLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for TakeDeadlineLayer {
    fn default() -> Self {
        Self::new()
    }
}
