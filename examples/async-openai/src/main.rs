//! async-openai over the layers: they retry and refuse, and the server's own words reach its user.

use std::error::Error;

use async_openai::{
    Client,
    config::OpenAIConfig,
    middleware::{HttpRequestFactory, ReqwestService},
    types::embeddings::CreateEmbeddingRequest,
};
use http::{Request, Response};
use reqwest::Body;
use tower::{BoxError, Service, ServiceBuilder};
use trysail::{prelude::*, transport::MaybeCollected};
use trysail_testkit::{EmbeddingServer, Plan, server::MODEL};

/// What stands below async-openai, which asks for reqwest's answers and builds a new request for each attempt.
fn stack(
    client: reqwest::Client,
) -> impl Service<HttpRequestFactory, Response = reqwest::Response, Error = BoxError, Future: Send> + Clone + Send + Sync
{
    ServiceBuilder::new()
        .map_request(Request::new) // the layers repeat a `GET` whose body can be cloned
        .map_response(|answer: Response<MaybeCollected<Body>>| answer.map(Body::wrap).into())
        .map_err(BoxError::from)
        .map_result(Failure::or_response) // a failed answer is an answer, for async-openai to read
        .layer(Preset::interactive())
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::errors(64 << 10)) // only its body tells a spent quota from a rate limit
        .map_response(Response::<Body>::from)
        .map_request(Request::into_body)
        .service(ReqwestService::new(client))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server =
        EmbeddingServer::new().key("sk-test").faults("503:40,quota:30".parse::<Plan>()?.seeded(2)).bind().await?;
    let http = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build()?;
    let service = stack(http);

    for key in ["sk-test", "sk-test", "sk-wrong-0123456789"] {
        let before = server.stats().requests;
        let config = OpenAIConfig::new().with_api_base(server.url()).with_api_key(key);
        let client = Client::with_config(config).with_http_service(service.clone());
        let request = CreateEmbeddingRequest { model: MODEL.into(), input: "a fair wind".into(), ..Default::default() };
        match client.embeddings().create(request).await {
            Ok(answer) => print!("{} dimensions", answer.data[0].embedding.len()),
            Err(error) => print!("{}", error.to_string().split('.').next().unwrap_or_default()),
        }
        println!(" ({} requests)", server.stats().requests - before);
    }
    Ok(())
}
