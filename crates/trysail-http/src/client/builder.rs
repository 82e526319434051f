use std::{sync::Arc, time::Duration};

use http::Uri;
use http_body::Body;
use hyper_util::{
    client::{
        legacy::{self, connect::HttpConnector},
        proxy::matcher::Matcher,
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::RootCertStore;
use trysail_core::Limit;

use crate::{
    CONNECT_TIMEOUT, ConnectTimeout,
    client::{
        Client,
        route::Route,
        tls::{Roots, Tls},
    },
};

/// Sets up a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientBuilder<L = Duration> {
    connect_timeout: L,
    proxies: Option<Arc<Matcher>>,
    roots: Option<Arc<RootCertStore>>,
}

impl ClientBuilder {
    pub(crate) const fn new() -> Self {
        Self { connect_timeout: CONNECT_TIMEOUT, proxies: None, roots: None }
    }
}

impl<L> ClientBuilder<L> {
    /// How long connecting may take: a `Duration`, 3.1 s unless set, or anything else that is a [`Limit`] of an
    /// address.
    pub fn connect_timeout<M>(self, limit: M) -> ClientBuilder<M> {
        ClientBuilder { connect_timeout: limit, proxies: self.proxies, roots: self.roots }
    }

    /// Sends everything through `proxy`, whatever the environment says; user and password may stand in it.
    pub fn proxy(self, proxy: &Uri) -> Self {
        let all = Matcher::builder().all(proxy.to_string()).build();
        Self { proxies: Some(Arc::new(all)), ..self }
    }

    /// Connects directly, whatever the environment says.
    pub fn no_proxy(self) -> Self {
        Self { proxies: Some(Arc::new(Matcher::builder().build())), ..self }
    }

    /// Trusts `roots` and not what the system trusts.
    pub fn roots(self, roots: RootCertStore) -> Self {
        Self { roots: Some(Arc::new(roots)), ..self }
    }

    /// The client.
    pub fn build<B>(self) -> Client<B, L>
    where
        B: Body + Send,
        B::Data: Send,
        L: Limit<Uri> + Clone + Send + Sync + 'static,
    {
        let proxies = self.proxies.unwrap_or_else(|| Arc::new(Matcher::from_env()));
        let roots = Arc::new(Roots::new(self.roots));
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.enforce_http(false);
        let to_proxy = Tls::new(http.clone(), roots.clone(), &[b"http/1.1"]);
        let route = Route::new(http, to_proxy, proxies.clone());
        let tls = Tls::new(route, roots, &[b"h2", b"http/1.1"]);
        let inner = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .retry_canceled_requests(false)
            .build(ConnectTimeout::new(tls).limit(self.connect_timeout));
        Client { inner, proxies }
    }
}

const POOL_IDLE: Duration = Duration::from_secs(90);
