use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Response, StatusCode, Uri, uri::Scheme};
use tower_http::decompression;
use trysail_core::Verdict;

use crate::client::{
    AnswerBody, ClientError,
    encoding::{PlainNamed, unread},
    obstacle::Obstacle,
    proxies::Proxy,
    served::Served,
};

/// Waits for the head of the answer to one request.
#[derive(Debug)]
pub(crate) struct Exchange {
    inner: decompression::ResponseFuture<PlainNamed>,
    destination: Uri,
    proxy: Option<Proxy>,
}

impl Exchange {
    pub(crate) const fn new(
        inner: decompression::ResponseFuture<PlainNamed>,
        destination: Uri,
        proxy: Option<Proxy>,
    ) -> Self {
        Self { inner, destination, proxy }
    }
}

impl Future for Exchange {
    type Output = Result<Response<AnswerBody>, ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.inner).poll(cx));
        let is_plain = self.destination.scheme() == Some(&Scheme::HTTP);
        let mut response = answer.map_err(|error| ClientError::new(error, self.proxy.take(), is_plain))?;
        if let Some(served) = response.extensions_mut().remove::<Served>() {
            served.note();
        }
        let status = response.status();
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            && is_plain
            && let Some(proxy) = &self.proxy
        {
            return Poll::Ready(Err(proxy.refuses(&self.destination, status).into()));
        }
        // A failure has its status, whatever its body is packed in.
        if let Some(encoding) = unread(&response).filter(|_| status.is_success()) {
            let words =
                format!("the answer is compressed as {encoding}, which is not known here; have that switched off");
            return Poll::Ready(Err(Obstacle::new(words).judged(PACKED).into()));
        }
        Poll::Ready(Ok(response.map(AnswerBody::new)))
    }
}

const PACKED: Verdict = Verdict::MALFORMED.once().neutral();
