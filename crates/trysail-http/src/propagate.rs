//! A deadline that crosses from one process to the next, as the time that is left.

mod format;

use std::task::{Context, Poll};

use http::{HeaderName, Request};
use tower_layer::Layer;
use tower_service::Service;

use self::format::Format;
use crate::Deadline;

/// The header that both layers use unless told otherwise; it holds milliseconds.
pub const DEADLINE: HeaderName = HeaderName::from_static("x-deadline-ms");

/// Client side: writes what is left of the request's [`Deadline`] into a header.
///
/// Put it below the retry, so that each attempt says what is left then. A request without a deadline goes as it is.
#[derive(Clone, Debug)]
pub struct SendDeadlineLayer {
    header: HeaderName,
    format: Format,
}

/// Server side: reads the header into a [`Deadline`] among the request's extensions.
///
/// The smaller holds of this and a deadline that is there already. What is no time is ignored.
#[derive(Clone, Debug)]
pub struct TakeDeadlineLayer {
    header: HeaderName,
    format: Format,
}

/// A service that sends deadlines on; made by [`SendDeadlineLayer`].
#[derive(Clone, Debug)]
pub struct SendDeadline<S> {
    inner: S,
    header: HeaderName,
    format: Format,
}

/// A service that takes deadlines up; made by [`TakeDeadlineLayer`].
#[derive(Clone, Debug)]
pub struct TakeDeadline<S> {
    inner: S,
    header: HeaderName,
    format: Format,
}

impl SendDeadlineLayer {
    /// A layer that writes [`DEADLINE`].
    pub const fn new() -> Self {
        Self { header: DEADLINE, format: Format::Milliseconds }
    }

    /// A layer that writes what gRPC has for it, `grpc-timeout`.
    pub const fn grpc() -> Self {
        Self { header: GRPC_TIMEOUT, format: Format::Grpc }
    }

    /// Another header.
    pub fn header(self, header: HeaderName) -> Self {
        Self { header, ..self }
    }
}

impl TakeDeadlineLayer {
    /// A layer that reads [`DEADLINE`].
    pub const fn new() -> Self {
        Self { header: DEADLINE, format: Format::Milliseconds }
    }

    /// A layer that reads what gRPC has for it, `grpc-timeout`.
    pub const fn grpc() -> Self {
        Self { header: GRPC_TIMEOUT, format: Format::Grpc }
    }

    /// Another header.
    pub fn header(self, header: HeaderName) -> Self {
        Self { header, ..self }
    }
}

impl<S> Layer<S> for SendDeadlineLayer {
    type Service = SendDeadline<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SendDeadline { inner, header: self.header.clone(), format: self.format }
    }
}

impl<S> Layer<S> for TakeDeadlineLayer {
    type Service = TakeDeadline<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TakeDeadline { inner, header: self.header.clone(), format: self.format }
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
            request.headers_mut().insert(self.header.clone(), self.format.write(left));
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
        let sent = request.headers().get(&self.header).and_then(|value| self.format.read(value.to_str().ok()?.trim()));
        if let Some(left) = sent {
            let sent = Deadline::within(left);
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

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
