use std::{
    error::Error,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Uri, uri::Scheme};
use hyper::rt::{Read, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::Connection;
use rustls::{ClientConfig, RootCertStore};
use tokio::{sync::OnceCell, task};
use tower_service::Service;

use crate::client::obstacle::Obstacle;

/// A connector that speaks TLS where the scheme asks for it, and reads certificates only then.
#[derive(Clone, Debug)]
pub(crate) struct Tls<C> {
    inner: C,
    setup: Arc<Setup>,
}

#[derive(Debug)]
struct Setup {
    roots: Arc<Roots>,
    protocols: &'static [&'static [u8]],
    config: OnceCell<Arc<ClientConfig>>,
}

/// Whom to trust: the given roots, or those of the system once they are asked for.
#[derive(Debug)]
pub(crate) struct Roots(OnceCell<Arc<RootCertStore>>);

impl<C> Tls<C> {
    pub(crate) fn new(inner: C, roots: Arc<Roots>, protocols: &'static [&'static [u8]]) -> Self {
        Self { inner, setup: Arc::new(Setup { roots, protocols, config: OnceCell::new() }) }
    }
}

impl<C> Service<Uri> for Tls<C>
where
    C: Service<Uri> + Clone + Send + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = MaybeHttpsStream<C::Response>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let clone = self.inner.clone();
        let mut ready = mem::replace(&mut self.inner, clone);
        let setup = self.setup.clone();
        Box::pin(async move {
            match destination.scheme() {
                Some(scheme) if *scheme == Scheme::HTTP => {
                    ready.call(destination).await.map(MaybeHttpsStream::Http).map_err(Into::into)
                }
                Some(scheme) if *scheme == Scheme::HTTPS => {
                    let config = setup.config().await?;
                    HttpsConnector::from((ready, config)).call(destination).await
                }
                _ => Err(Obstacle::new("the address is neither http nor https").into()),
            }
        })
    }
}

impl Setup {
    async fn config(&self) -> Result<Arc<ClientConfig>, Obstacle> {
        let config = self.config.get_or_try_init(async || {
            let roots = self.roots.get().await?;
            let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("ring can do the default versions")
                .with_root_certificates(roots)
                .with_no_client_auth();
            config.alpn_protocols = self.protocols.iter().map(|name| name.to_vec()).collect();
            Ok(Arc::new(config))
        });
        config.await.cloned()
    }
}

impl Roots {
    pub(crate) fn new(given: Option<Arc<RootCertStore>>) -> Self {
        Self(OnceCell::new_with(given))
    }

    async fn get(&self) -> Result<Arc<RootCertStore>, Obstacle> {
        let roots = self.0.get_or_try_init(async || {
            // Hundreds of files on some systems. A task that cannot be joined has found no root either.
            let found = task::spawn_blocking(rustls_native_certs::load_native_certs).await.unwrap_or_default();
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() { Err(Obstacle::new(NO_ROOTS)) } else { Ok(Arc::new(roots)) }
        });
        roots.await.cloned()
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

const NO_ROOTS: &str =
    "https needs root certificates and this system has none: install ca-certificates or set SSL_CERT_FILE";
