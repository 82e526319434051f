//! How bodies are packed on their way.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderValue, Request, Response, header::CONTENT_ENCODING};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use tower_service::Service;

/// Writes the names of encodings as the layer above knows them: in small letters, and without what changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct PlainNames<C>(pub(crate) C);

/// Waits for the head of an answer.
#[derive(Debug)]
pub(crate) struct PlainNamed(legacy::ResponseFuture);

impl<C, B> Service<Request<B>> for PlainNames<C>
where
    C: Service<Request<B>, Future = legacy::ResponseFuture, Response = Response<Incoming>, Error = legacy::Error>,
{
    type Response = Response<Incoming>;
    type Error = legacy::Error;
    type Future = PlainNamed;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), legacy::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> PlainNamed {
        PlainNamed(self.0.call(request))
    }
}

impl Future for PlainNamed {
    type Output = Result<Response<Incoming>, legacy::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_ok(|mut response| {
            if response.headers().contains_key(CONTENT_ENCODING) {
                rename(&mut response);
            }
            response
        })
    }
}

/// What a body is still packed in, where that is nothing that can be read here.
pub(crate) fn unread<B>(response: &Response<B>) -> Option<String> {
    let left = response.headers().get(CONTENT_ENCODING)?;
    Some(String::from_utf8_lossy(left.as_bytes()).chars().filter(|c| !c.is_control()).take(LONGEST).collect())
}

fn rename<B>(response: &mut Response<B>) {
    let headers = response.headers_mut();
    let said = headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let said = said.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let names = said.split(',').map(str::trim).filter(|name| !matches!(*name, "" | "identity"));
    let names: Vec<_> = names.map(|name| name.strip_prefix("x-").unwrap_or(name)).collect();
    headers.remove(CONTENT_ENCODING);
    if let Ok(names) = HeaderValue::from_str(&names.join(", "))
        && !names.is_empty()
    {
        headers.insert(CONTENT_ENCODING, names);
    }
}

const LONGEST: usize = 60;
