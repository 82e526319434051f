//! A `reqwest::Client` under the layers: requests and answers stay reqwest's own.

use std::{error::Error, time::Duration};

use reqwest::Request;
use serde_json::{Value, json};
use tower::{ServiceBuilder, ServiceExt};
use trysail::{ByStatus, prelude::*};
use trysail_testkit::{EmbeddingServer, server::MODEL};

/// What may be sent twice, and a copy of it: there is none of a body that is a stream.
fn copy(request: &Request) -> Option<Request> {
    let pure = request.method().is_idempotent() || request.url().path().ends_with("/embeddings");
    pure.then(|| request.try_clone()).flatten()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Refuses half of all requests.
    let server = EmbeddingServer::new().key("sk-test").faults("503:50".parse()?).bind().await?;
    let client = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build()?;

    let service = ServiceBuilder::new()
        .map_response(reqwest::Response::from)
        .map_result(Failure::or_response) // the last answer as it came, its body unread, whatever its status
        .layer(TimeoutLayer::new(Duration::from_secs(60))) // the whole call
        .layer(
            RetryLayer::new(Backoff::exponential(Duration::from_millis(20)).retries(9))
                .replay(copy)
                .within(Duration::from_secs(60)),
        )
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20))) // one attempt, until its head is in
        .layer(ClassifyLayer::new(ByStatus::default()))
        .map_response(http::Response::<reqwest::Body>::from)
        .service(client.clone())
        .checked::<Request>();

    let url = format!("{}/embeddings", server.url());
    for (key, text) in [("sk-test", "a fair wind"), ("sk-test", "a storm at sea"), ("sk-wrong", "fog")] {
        let request = client.post(&url).bearer_auth(key).json(&json!({ "model": MODEL, "input": text })).build()?;
        match service.clone().oneshot(request).await {
            Ok(answer) => {
                let (status, said) = (answer.status(), answer.json::<Value>().await?);
                println!("{text}: {status}, {}", said.pointer("/usage/total_tokens").unwrap_or(&said["error"]["code"]));
            }
            // Nobody has answered: a time limit, an open circuit, no connection.
            Err(error) => println!("{text}: {error}"),
        }
    }
    println!("{} requests", server.stats().requests);
    Ok(())
}
