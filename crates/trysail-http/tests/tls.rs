//! The ready-made client against servers whose certificate is good, or is not.

#![cfg(feature = "client")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tower_layer::Layer;
use tower_service::Service;
use trysail_core::{Class, Classified, Health, Retryable};
use trysail_http::{Client, CollectError, CollectLayer};

type Authority = CertifiedIssuer<'static, KeyPair>;

#[tokio::test]
async fn a_certificate_that_is_trusted_is_good() {
    let authority = authority("trusted");
    let server = serve(&authority, CertificateParams::new(["localhost".to_owned()]).unwrap()).await;
    let answer = call(&authority, server).await.unwrap();
    assert_eq!(answer.body(), "ok");
}

#[tokio::test]
async fn a_certificate_that_is_not_asks_nobody_again() {
    let trusted = authority("trusted");
    let localhost = || CertificateParams::new(["localhost".to_owned()]).unwrap();
    let mut expired = localhost();
    (expired.not_before, expired.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let another = CertificateParams::new(["embeddings.test".to_owned()]).unwrap();
    for (reason, issuer, params) in [
        ("UnknownIssuer", &authority("unknown"), localhost()),
        ("expired", &trusted, expired),
        ("embeddings.test", &trusted, another),
    ] {
        let error = call(&trusted, serve(issuer, params).await).await.unwrap_err();
        let verdict = error.verdict();
        let judged = (verdict.class(), verdict.retry(), verdict.health());
        assert_eq!(judged, (Class::Permanent, Retryable::No, Health::Neutral), "{reason}: {error:?}");
        assert!(chain(&error).contains(reason), "{}", chain(&error));
    }
}

type ClientError = CollectError<trysail_http::ClientError, trysail_http::BodyError>;

async fn call(trusted: &Authority, server: SocketAddr) -> Result<Response<Bytes>, ClientError> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let client: Client<Full<Bytes>> = Client::builder().no_proxy().roots(roots).build();
    let request = Request::get(format!("https://localhost:{}/", server.port())).body(Full::default()).unwrap();
    CollectLayer::new(1 << 20).layer(client).call(request).await
}

/// A server with a certificate by this authority.
async fn serve(authority: &Authority, params: CertificateParams) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let certificate: CertificateDer<'static> = params.signed_by(&key, authority).unwrap().der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map(Arc::new)
        .unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Who does not trust the server hangs up.
            let Ok(mut stream) = TlsAcceptor::from(Arc::clone(&config)).accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
    });
    address
}

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
