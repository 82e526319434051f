//! A service that does nothing, as async-openai's layer wants it.

use std::{
    future::Future,
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll, ready},
};

use async_openai::{error::OpenAIError, middleware::HttpRequestFactory};
use reqwest::Response;
use tower::Service;
use trysail::Verdict;

use crate::nothing::{Nothing, Soon};

/// Answers with nothing in it, and builds no request.
#[derive(Clone)]
pub(crate) struct Answering(pub(crate) Nothing);

/// Its answer.
pub(crate) struct Answered(Soon);

/// What is asked; each copy costs a reference.
pub(crate) fn request(_: u64) -> HttpRequestFactory {
    REQUEST.clone()
}

/// As async-openai judges, but for what only a body tells.
pub(crate) fn verdict(outcome: Result<&Response, &OpenAIError>) -> Verdict {
    match outcome {
        Ok(answer) if answer.status().as_u16() == 429 => Verdict::THROTTLED,
        Ok(answer) if answer.status().is_server_error() => Verdict::TRANSIENT,
        Err(OpenAIError::Reqwest(error)) if error.is_connect() => Verdict::TRANSIENT,
        Ok(_) => Verdict::SUCCESS,
        Err(_) => Verdict::PERMANENT,
    }
}

impl Service<HttpRequestFactory> for Answering {
    type Response = Response;
    type Error = OpenAIError;
    type Future = Answered;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: HttpRequestFactory) -> Answered {
        Answered(self.0.call(0))
    }
}

impl Future for Answered {
    type Output = Result<Response, OpenAIError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(match answer {
            Ok(_) => Ok(http::Response::new("").into()),
            Err(fault) => Err(OpenAIError::Boxed(fault.into())),
        })
    }
}

static REQUEST: LazyLock<HttpRequestFactory> = LazyLock::new(|| {
    HttpRequestFactory::new(|| async {
        let url = reqwest::Url::parse("http://localhost/v1/embeddings").expect("it is a URL");
        Ok(reqwest::Request::new(reqwest::Method::POST, url))
    })
});
