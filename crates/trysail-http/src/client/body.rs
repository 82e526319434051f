use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tower_http::decompression::DecompressionBody;
use trysail_core::Verdict;

pin_project! {
    /// The body of an answer, as it was before a server or proxy compressed it.
    pub struct AnswerBody {
        #[pin]
        inner: DecompressionBody<Incoming>,
    }
}

/// Why a body has no end.
#[derive(Debug)]
pub struct BodyError {
    inner: Box<dyn Error + Send + Sync>,
}

impl AnswerBody {
    pub(crate) const fn new(inner: DecompressionBody<Incoming>) -> Self {
        Self { inner }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.project().inner.poll_frame(cx).map_err(|inner| BodyError { inner })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl BodyError {
    /// Whether all of it has come, and cannot be decompressed.
    pub fn is_damaged(&self) -> bool {
        !self.inner.is::<hyper::Error>()
    }

    pub(crate) fn judge(&self) -> Option<Verdict> {
        self.is_damaged().then_some(Verdict::MALFORMED)
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_damaged() {
            f.write_str("what its content-encoding names cannot decompress it: ")?;
        }
        self.inner.fmt(f)
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.inner)
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerBody").finish_non_exhaustive()
    }
}
