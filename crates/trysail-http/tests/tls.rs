//! The ready-made client against servers whose certificate is good, or is not.

#![cfg(feature = "client")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
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
use trysail_core::{Class, Classified, Health, OneLine, Retryable};
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
    let mut early = localhost();
    (early.not_before, early.not_after) = (date_time_ymd(2120, 1, 1), date_time_ymd(2121, 1, 1));
    let another = CertificateParams::new(["embeddings.test".to_owned()]).unwrap();
    let mut of_a_client = localhost();
    of_a_client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let mut of_an_authority = localhost();
    of_an_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for (issuer, params, words, seen) in [
        (&authority("unknown"), localhost(), "is by an authority that is not trusted here", "UnknownIssuer"),
        (&trusted, expired, "has expired", "expired"),
        (&trusted, early, "is not valid yet", "not valid yet"),
        (&trusted, another, "is for another name", "embeddings.test"),
        (&trusted, of_a_client, "is not made for servers", "extended key usage"),
        (&trusted, of_an_authority, "is that of an authority", "CaUsedAsEndEntity"),
    ] {
        let error = call(&trusted, serve(issuer, params).await).await.unwrap_err();
        never_again(&error);
        let said = OneLine(&error).to_string();
        assert!(said.starts_with(&format!("the server's certificate {words}")), "{said}");
        assert!(said.contains(seen), "{said}");
    }
}

#[tokio::test]
async fn https_is_not_http_and_whoever_takes_the_one_for_the_other_is_told_so() {
    let trusted = authority("trusted");
    let server = serve(&trusted, CertificateParams::new(["localhost".to_owned()]).unwrap()).await;
    for path in ["/", "/a-path-that-is-long-enough-to-look-like-the-length-of-a-record"] {
        let error = ask(&trusted, &format!("http://localhost:{}{path}", server.port())).await.unwrap_err();
        never_again(&error);
        assert_eq!(OneLine(&error).to_string(), "that port speaks https: write https:// instead of http://");
    }

    let plain = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let server = plain.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let error = call(&trusted, server).await.unwrap_err();
    never_again(&error);
    assert!(error.to_string().starts_with("that port does not speak https: write http://"), "{error}");
}

fn never_again(error: &ClientError) {
    let verdict = error.verdict();
    let judged = (verdict.class(), verdict.retry(), verdict.health());
    assert_eq!(judged, (Class::Permanent, Retryable::No, Health::Neutral), "{error:?}");
}

type ClientError = CollectError<trysail_http::ClientError, trysail_http::BodyError>;

async fn call(trusted: &Authority, server: SocketAddr) -> Result<Response<Bytes>, ClientError> {
    ask(trusted, &format!("https://localhost:{}/", server.port())).await
}

async fn ask(trusted: &Authority, url: &str) -> Result<Response<Bytes>, ClientError> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let client: Client<Full<Bytes>> = Client::builder().no_proxy().roots(roots).build();
    let request = Request::get(url).body(Full::default()).unwrap();
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
