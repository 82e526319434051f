use std::{
    error::Error,
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiFuture, GaiResolver, Name};
use tower_service::Service;

/// Looks names up as the system does, and says which one it has not found.
#[derive(Clone, Debug)]
pub(crate) struct Names(GaiResolver);

/// A name without an address.
#[derive(Debug)]
pub(crate) struct Unresolved {
    name: Name,
    cause: io::Error,
}

/// Waits for the addresses of a name.
pub(crate) struct LookUp {
    name: Name,
    inner: GaiFuture,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self(GaiResolver::new())
    }
}

impl Service<Name> for Names {
    type Response = GaiAddrs;
    type Error = Unresolved;
    type Future = LookUp;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unresolved>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> LookUp {
        LookUp { inner: self.0.call(name.clone()), name }
    }
}

impl Future for LookUp {
    type Output = Result<GaiAddrs, Unresolved>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let found = Pin::new(&mut self.inner).poll(cx);
        found.map_err(|cause| Unresolved { name: self.name.clone(), cause })
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name {} does not resolve, so check how it is written, or the network: {}", self.name, self.cause)
    }
}

impl Error for Unresolved {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}
