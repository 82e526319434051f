use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

use crate::wire::{Protocol, payload, runtime};

/// A server of prepared answers, on a thread of its own for as long as the program runs.
pub(crate) struct Server {
    http1: SocketAddr,
    http2: SocketAddr,
}

type Answers = Arc<HashMap<&'static str, Bytes>>;

impl Server {
    pub(crate) fn start() -> Result<Self, String> {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            // Only binding can end it, while whoever asked still waits for the addresses.
            let Err(problem) = runtime().and_then(|runtime| runtime.block_on(serve(&tell)));
            let _ = tell.send(Err(problem));
        });
        told.recv().map_err(|_| "the server has ended before it began".to_owned())?
    }

    pub(crate) fn url(&self, protocol: Protocol, path: &str) -> String {
        let address = match protocol {
            Protocol::Http1 => self.http1,
            Protocol::Http2 => self.http2,
        };
        format!("http://{address}{path}")
    }
}

async fn serve(tell: &mpsc::Sender<Result<Server, String>>) -> Result<Infallible, String> {
    let ((http1, one), (http2, two)) = (bind().await?, bind().await?);
    let answers: Answers = Arc::new(payload::ALL.iter().map(|payload| (payload.path, payload.answer())).collect());
    // The program may have ended by now.
    let _ = tell.send(Ok(Server { http1, http2 }));
    tokio::spawn(accept(one, Protocol::Http1, Arc::clone(&answers)));
    accept(two, Protocol::Http2, answers).await
}

async fn bind() -> Result<(SocketAddr, TcpListener), String> {
    let problem = |error| format!("cannot listen on 127.0.0.1, where the requests are sent: {error}");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(problem)?;
    Ok((listener.local_addr().map_err(problem)?, listener))
}

async fn accept(listener: TcpListener, protocol: Protocol, answers: Answers) -> ! {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, protocol, Arc::clone(&answers)));
        }
    }
}

/// Answers one client, until it leaves.
async fn talk(stream: TcpStream, protocol: Protocol, answers: Answers) {
    // Without it the figures tell of a wait of the kernel's; a client that misses its answer says so itself.
    let _ = stream.set_nodelay(true);
    let stream = TokioIo::new(stream);
    let service = service_fn(move |request| answer(request, Arc::clone(&answers)));
    let _ = match protocol {
        Protocol::Http1 => conn::http1::Builder::new().serve_connection(stream, service).await,
        Protocol::Http2 => conn::http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await,
    };
}

async fn answer(request: Request<Incoming>, answers: Answers) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = answers.get(request.uri().path()).cloned();
    let read = request.into_body().collect().await.is_ok();
    let status = if read && answer.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let mut response = Response::new(Full::new(answer.unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
