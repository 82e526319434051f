//! A server with a certificate of its own making: it echoes, falls silent, and fails at first.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use rustls::{ClientConfig, RootCertStore, ServerConfig, pki_types::PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_stream::StreamExt;
use tower::BoxError;

/// Its URL, and the TLS of a client that trusts it and nobody else.
pub(crate) async fn serve() -> Result<(String, ClientConfig), BoxError> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let certificate = made.cert.der().clone();
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate.clone())?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let mut tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?;
    tls.alpn_protocols = vec![b"h2".to_vec()];

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://{}", listener.local_addr()?);
    tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(tls))));
    Ok((url, ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth()))
}

async fn accept(listener: TcpListener, tls: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let accepting = tls.accept(stream);
        tokio::spawn(async move {
            let stream = TokioIo::new(accepting.await?);
            Builder::new(TokioExecutor::new()).serve_connection(stream, service_fn(answer)).await
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<BoxBody<Bytes, hyper::Error>>, Infallible> {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let whole = |text: &'static str| Full::from(text).map_err(|never| match never {}).boxed();
    let (status, body) = match request.uri().path() {
        "/echo" => (StatusCode::OK, request.into_body().boxed()),
        "/silent" => {
            let piece = tokio_stream::once(Ok(Frame::data(Bytes::from_static(b"fog"))));
            (StatusCode::OK, BodyExt::boxed(StreamBody::new(piece.chain(tokio_stream::pending()))))
        }
        _ if ASKED.fetch_add(1, Relaxed) == 0 => (StatusCode::SERVICE_UNAVAILABLE, whole("fog")),
        _ => (StatusCode::OK, whole("clear, at the second attempt")),
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    Ok(answer)
}
