//! Clients that send by reqwest: alone, with its own retry, and below async-openai's.

use std::time::Duration;

use async_openai::{
    error::OpenAIError,
    middleware::{HttpRequestFactory, ReqwestService, retry::OpenAIRetryLayer},
};
use bytes::Bytes;
use http::{Response, header::CONTENT_TYPE};
use reqwest::{Client, ClientBuilder, Error, Request, Url, retry};
use tower::{ServiceBuilder, service_fn};

use crate::wire::{
    Protocol, Question,
    clients::{ATTEMPT, JSON},
    round::{Turn, turn},
};

pub(crate) fn plain(protocol: Protocol, question: Question) -> Result<Turn, String> {
    asked(protocol, question, |client| client)
}

/// Within its default budget, of what its user says may be repeated.
pub(crate) fn with_retry(protocol: Protocol, question: Question) -> Result<Turn, String> {
    let retry = retry::for_host("127.0.0.1").max_retries_per_request(3).classify_fn(|answer| match answer.status() {
        Some(status) if status.is_success() => answer.success(),
        _ => answer.retryable(),
    });
    asked(protocol, question, |client| client.retry(retry))
}

pub(crate) fn async_openai(protocol: Protocol, question: Question) -> Result<Turn, String> {
    let client = built(protocol, |client| client)?;
    let (asker, url, body) = (client.clone(), url(&question)?, question.body);
    let make = move || {
        let (asker, url, body) = (asker.clone(), url.clone(), body.clone());
        HttpRequestFactory::new(move || {
            let request = asker.post(url.clone()).header(CONTENT_TYPE, JSON).body(body.clone()).build();
            async { Ok(request?) }
        })
    };
    let service = ServiceBuilder::new()
        .and_then(|answer| async { read(answer).await.map_err(OpenAIError::from) })
        .layer(OpenAIRetryLayer::default())
        .service(ReqwestService::new(client));
    Ok(turn(service, make, question.answer))
}

fn asked(
    protocol: Protocol,
    question: Question,
    change: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Turn, String> {
    let client = built(protocol, change)?;
    let (asker, url, body) = (client.clone(), url(&question)?, question.body);
    let make = move || asker.post(url.clone()).header(CONTENT_TYPE, JSON).body(body.clone()).build();
    let service = service_fn(move |request: Result<Request, Error>| {
        let sent = request.map(|request| client.execute(request));
        async move { read(sent?.await?).await }
    });
    Ok(turn(service, make, question.answer))
}

fn built(protocol: Protocol, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Client, String> {
    let builder = Client::builder().no_proxy().timeout(ATTEMPT).read_timeout(IDLE);
    let builder = match protocol {
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_prior_knowledge(),
    };
    change(builder).build().map_err(|error| format!("cannot make the client: {error}"))
}

fn url(question: &Question) -> Result<Url, String> {
    Url::parse(&question.url).map_err(|error| format!("{}: {error}", question.url))
}

async fn read(answer: reqwest::Response) -> Result<Response<Bytes>, Error> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = answer.status();
    *response.body_mut() = answer.bytes().await?;
    Ok(response)
}

const IDLE: Duration = Duration::from_secs(5);
