use std::{sync::Arc, time::Duration};

use http::Uri;
use http_body::Body;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::RootCertStore;
use trysail_core::Limit;

use crate::{
    CONNECT_TIMEOUT, ConnectTimeout, Redirect,
    client::{
        Client,
        names::Names,
        proxies::Proxies,
        route::Route,
        tls::{Roots, Tls},
        wire::Wire,
    },
};

/// Sets up a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientBuilder<L = Duration> {
    connect_timeout: L,
    proxies: Option<Arc<Proxies>>,
    roots: Option<Arc<RootCertStore>>,
    compression: bool,
}

impl ClientBuilder {
    pub(crate) const fn new() -> Self {
        Self { connect_timeout: CONNECT_TIMEOUT, proxies: None, roots: None, compression: false }
    }
}

impl<L> ClientBuilder<L> {
    /// How long connecting may take: a `Duration`, 3.1 s unless set, or anything else that is a [`Limit`] of an
    /// address.
    pub fn connect_timeout<M>(self, limit: M) -> ClientBuilder<M> {
        let Self { proxies, roots, compression, .. } = self;
        ClientBuilder { connect_timeout: limit, proxies, roots, compression }
    }

    /// Sends everything through `proxy`, whatever the environment says; user and password may stand in it.
    pub fn proxy(self, proxy: &Uri) -> Self {
        Self { proxies: Some(Arc::new(Proxies::all(proxy))), ..self }
    }

    /// Connects directly, whatever the environment says.
    pub fn no_proxy(self) -> Self {
        Self { proxies: Some(Arc::new(Proxies::none())), ..self }
    }

    /// Trusts `roots` and not what the system trusts.
    pub fn roots(self, roots: RootCertStore) -> Self {
        Self { roots: Some(Arc::new(roots)), ..self }
    }

    /// Asks servers to compress their answers. What arrives compressed is decompressed either way; without this they are
    /// asked not to (`accept-encoding: identity`), since vectors hardly shrink.
    pub fn compression(self) -> Self {
        Self { compression: true, ..self }
    }

    /// The client.
    pub fn build<B>(self) -> Client<B, L>
    where
        B: Body + Send,
        B::Data: Send,
        L: Limit<Uri> + Clone + Send + Sync + 'static,
    {
        let proxies = self.proxies.unwrap_or_else(|| Arc::new(Proxies::from_env()));
        let roots = Arc::new(Roots::new(self.roots));
        let mut http = HttpConnector::new_with_resolver(Names::new());
        http.set_nodelay(true);
        http.enforce_http(false);
        let to_proxy = Tls::new(http.clone(), roots.clone(), &[b"http/1.1"]);
        let route = Route::new(http, to_proxy, proxies.clone());
        let tls = Tls::new(route, roots, &[b"h2", b"http/1.1"]);
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .retry_canceled_requests(false)
            .build(ConnectTimeout::new(tls).limit(self.connect_timeout));
        Client { inner: Redirect::new(Wire::new(client, proxies, self.compression)) }
    }
}

const POOL_IDLE: Duration = Duration::from_secs(90);
