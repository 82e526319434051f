use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::CollectedBody;

pin_project! {
    /// A body as it comes, or what was collected of it.
    pub struct MaybeCollected<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[project = InnerProjection]
    enum Inner<B> {
        Stream { #[pin] body: B },
        Collected { bytes: Bytes, read: bool },
    }
}

impl<B> MaybeCollected<B> {
    /// A body that is handed through.
    pub const fn stream(body: B) -> Self {
        Self { inner: Inner::Stream { body } }
    }

    /// The body of a failure.
    pub const fn of(bytes: Bytes) -> Self {
        Self { inner: Inner::Collected { bytes, read: false } }
    }

    /// What was collected, if this is not a stream.
    pub const fn collected(&self) -> Option<&Bytes> {
        match &self.inner {
            Inner::Stream { .. } => None,
            Inner::Collected { bytes, .. } => Some(bytes),
        }
    }
}

impl<B> CollectedBody for MaybeCollected<B> {
    fn as_collected(&self) -> Option<&Bytes> {
        self.collected()
    }
}

/// Its data is that of the stream, which `Bytes` must be able to become; mostly it is `Bytes`.
impl<B> Body for MaybeCollected<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().inner.project() {
            InnerProjection::Stream { body } => body.poll_frame(cx),
            InnerProjection::Collected { read: true, .. } => Poll::Ready(None),
            InnerProjection::Collected { bytes, read } => {
                *read = true;
                let data = (!bytes.is_empty()).then(|| bytes.clone());
                Poll::Ready(data.map(|data| Ok(Frame::data(data.into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Stream { body } => body.is_end_stream(),
            Inner::Collected { bytes, read } => *read || bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Stream { body } => body.size_hint(),
            Inner::Collected { read: true, .. } => SizeHint::with_exact(0),
            Inner::Collected { bytes, .. } => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}

impl<B> fmt::Debug for MaybeCollected<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Answers echo inputs and keys.
        f.debug_struct("MaybeCollected").field("collected", &self.collected().map(Bytes::len)).finish()
    }
}
