//! The future of [`Client`](crate::Client).

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use hyper::body::Incoming;
use hyper_util::client::legacy;

use crate::client::{ClientError, served::Served};

/// Waits for the head of the answer.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture {
    inner: legacy::ResponseFuture,
}

impl ResponseFuture {
    pub(crate) const fn new(inner: legacy::ResponseFuture) -> Self {
        Self { inner }
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<Incoming>, ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.inner).poll(cx).map_err(ClientError::new).map_ok(|mut response| {
            if let Some(served) = response.extensions_mut().remove::<Served>() {
                served.note();
            }
            response
        })
    }
}
