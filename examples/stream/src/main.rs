//! An answer that is read as it arrives: judged by its status, under a retry, a circuit breaker and a time limit.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use http::{Request, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use tower::{ServiceBuilder, ServiceExt};
use trysail::{ByStatus, prelude::*};
use trysail_testkit::{EmbeddingServer, server::MODEL};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // A server that refuses every other request, and takes its time with the rest.
    let server = EmbeddingServer::new().faults("503:50,drip:50".parse()?).bind().await?;
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(50)).retries(9)).replay(Idempotent))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(5))) // until the head is in
        .layer(ClassifyLayer::new(ByStatus::default())) // the head is all that there is to judge
        .service(Client::builder().no_proxy().build())
        .checked::<HttpRequest>();

    for text in ["a fair wind", "a storm at sea"] {
        let body = format!(r#"{{"model":"{MODEL}","input":"{text}","encoding_format":"float"}}"#);
        let mut request = Request::post(format!("{}/embeddings", server.url()))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::<Bytes>::from(body))?;
        request.extensions_mut().insert(Idempotent);

        let mut body = service.clone().oneshot(request).await?.into_body();
        let (mut pieces, mut bytes) = (0, 0);
        // From here on nobody repeats anything: what breaks off now is the reader's.
        while let Some(frame) = body.frame().await {
            pieces += 1;
            bytes += frame?.data_ref().map_or(0, Bytes::len);
        }
        println!("{text}: {bytes} bytes in {pieces} pieces");
    }
    println!("{} requests for 2 answers", server.stats().requests);
    Ok(())
}
