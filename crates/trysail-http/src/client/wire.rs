use std::{
    error::Error,
    sync::Arc,
    task::{Context, Poll},
};

use http::{
    HeaderValue, Request, Response,
    header::{ACCEPT_ENCODING, PROXY_AUTHORIZATION},
    uri::Scheme,
};
use http_body::Body;
use hyper_util::client::legacy;
use tower_http::decompression::Decompression;
use tower_service::Service;
use trysail_core::Limit;

use crate::{
    ConnectTimeout,
    client::{
        AnswerBody, ClientError, encoding::PlainNames, exchange::Exchange, proxies::Proxies, route::Route, tls::Tls,
    },
};

/// A client that asks where it is told to ask, and nowhere else.
pub(crate) struct Wire<B, L> {
    inner: Decompression<PlainNames<legacy::Client<Connector<L>, B>>>,
    pub(crate) proxies: Arc<Proxies>,
    asks_for_compression: bool,
}

pub(crate) type Connector<L> = ConnectTimeout<Tls<Route>, L>;

impl<B, L> Wire<B, L> {
    pub(crate) fn new(
        client: legacy::Client<Connector<L>, B>,
        proxies: Arc<Proxies>,
        asks_for_compression: bool,
    ) -> Self {
        Self { inner: Decompression::new(PlainNames(client)), proxies, asks_for_compression }
    }
}

impl<B, L> Service<Request<B>> for Wire<B, L>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    L: Limit<http::Uri> + Clone + Send + Sync + 'static,
{
    type Response = Response<AnswerBody>;
    type Error = ClientError;
    type Future = Exchange;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        self.inner.poll_ready(cx).map_err(|error| ClientError::new(error, None, false))
    }

    fn call(&mut self, mut request: Request<B>) -> Exchange {
        if !self.asks_for_compression {
            // Without it, what decompresses asks for every encoding that it knows.
            request.headers_mut().entry(ACCEPT_ENCODING).or_insert(IDENTITY);
        }
        let destination = request.uri().clone();
        let proxy = self.proxies.before(&destination);
        // Through a tunnel the proxy must not see it again, and the server never.
        if destination.scheme() == Some(&Scheme::HTTP)
            && let Some(credentials) = proxy.as_ref().and_then(|proxy| proxy.intercept.basic_auth())
        {
            request.headers_mut().entry(PROXY_AUTHORIZATION).or_insert_with(|| credentials.clone());
        }
        Exchange::new(self.inner.call(request), destination, proxy)
    }
}

impl<B, L: Clone> Clone for Wire<B, L> {
    fn clone(&self) -> Self {
        let Self { inner, proxies, asks_for_compression } = self;
        Self { inner: inner.clone(), proxies: proxies.clone(), asks_for_compression: *asks_for_compression }
    }
}

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
