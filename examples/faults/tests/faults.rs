//! The client, against a server that fails as planned.

use std::error::Error;

use faults::Embedder;
use trysail_testkit::{EmbeddingServer, Plan, server::Running};

async fn server(plan: Plan) -> Result<(Running, Embedder), Box<dyn Error>> {
    let server = EmbeddingServer::new().faults(plan).bind().await?;
    let client = Embedder::new(&server.url())?;
    Ok((server, client))
}

#[tokio::test]
async fn what_passes_costs_one_attempt_more() -> Result<(), Box<dyn Error>> {
    for fault in ["503#1", "429#1", "reset#1", "reset-body#1", "truncated#1", "cut#1", "nan#1", "html#1", "hang#1"] {
        let (server, client) = server(fault.parse()?).await?;
        let vector = client.embed("a fair wind").await.map_err(|error| format!("{fault}: {error}"))?;
        assert_eq!((vector.len(), server.stats().requests), (64, 2), "{fault}");
    }
    Ok(())
}

#[tokio::test]
async fn what_will_not_pass_is_asked_once() -> Result<(), Box<dyn Error>> {
    for fault in ["401#1", "403#1", "400-too-long#1", "404-model#1"] {
        let (server, client) = server(fault.parse()?).await?;
        let error = client.embed("a fair wind").await.expect_err("it is no good").to_string();
        assert_eq!(server.stats().requests, 1, "{fault}: {error}");
    }
    Ok(())
}

/// How many of a hundred texts get a vector, and what that takes.
async fn hundred(plan: Plan) -> Result<(usize, u64), Box<dyn Error>> {
    let (server, client) = server(plan).await?;
    let mut vectors = 0;
    for n in 0..100 {
        vectors += usize::from(client.embed(&format!("wave {n}")).await.is_ok());
    }
    Ok((vectors, server.stats().requests))
}

#[tokio::test]
async fn in_a_storm_of_the_same_seed_the_same_calls_fail() -> Result<(), Box<dyn Error>> {
    let plan: Plan = "503:20,reset:10,truncated:5".parse()?;
    let (vectors, requests) = hundred(plan.clone().seeded(7)).await?;
    assert!(vectors > 90 && requests > 120, "{vectors} vectors of {requests} requests");
    assert_eq!(hundred(plan.seeded(7)).await?, (vectors, requests));
    Ok(())
}
