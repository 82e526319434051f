//! Two servers of one model, of which one is killed: as a list, and under a balancer.

use std::{fmt::Debug, time::Duration};

use tokio::task::{JoinSet, yield_now};
use tower::{
    BoxError, ServiceBuilder, ServiceExt,
    balance::p2c::Balance,
    discover::ServiceList,
    load::{CompleteOnResponse, PendingRequests},
};
use trysail::{
    Breaker, FailoverLayer, HttpClient, Timeout,
    embeddings::{Family, Fingerprint},
    prelude::*,
};
use trysail_testkit::{
    EmbeddingServer, Model,
    server::{MODEL, Running},
};

/// One server: its circuit, the limit of an attempt, and who checks its answers.
type Member = Breaker<Timeout<Embeddings<HttpClient>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    for line in [list().await?, balanced().await?] {
        println!("{line}");
    }
    Ok(())
}

/// The second stands in for the first.
async fn list() -> Result<String, BoxError> {
    let servers = [EmbeddingServer::new().bind().await?, EmbeddingServer::new().bind().await?];
    let circuits = [circuit(), circuit()];
    let first = member(&servers[0], BreakerLayer::new(circuits[0].clone()))?;
    let second = member(&servers[1], BreakerLayer::new(circuits[1].clone()))?;

    // It was taken when all was well, for now is too late to ask a server that is dead.
    let fingerprint: Fingerprint = serde_json::from_str(include_str!("../fingerprint.json"))?;
    assert_eq!(*fingerprint.family(), Family::new(MODEL, 64));
    let retry = RetryLayer::new(Backoff::exponential(Duration::from_millis(10))).replay(Idempotent).within(MINUTE);
    let budget = Budget::default();
    let service = ServiceBuilder::new()
        .layer(retry.budget(budget.clone())) // asks both again, if both have failed
        .layer(
            FailoverLayer::new([second])
                .replay(Idempotent)
                .within(MINUTE) // half of it for the first, if that hangs
                .budget(budget)
                .fits(move |member| fingerprint.check(member)),
        )
        .service(first);

    let answered = storm(service, servers).await;
    Ok(format!("list: {answered} of 400 calls answered, {}", states(&circuits)))
}

/// Each call goes to the less busy one.
async fn balanced() -> Result<String, BoxError> {
    let servers = [EmbeddingServer::new().bind().await?, EmbeddingServer::new().bind().await?];
    let circuits = [circuit(), circuit()];
    let mut members = Vec::new();
    for (server, circuit) in servers.iter().zip(&circuits) {
        // Who is not ready is not chosen.
        let breaker = BreakerLayer::new(circuit.clone()).pending_while_open();
        members.push(PendingRequests::new(member(server, breaker)?, CompleteOnResponse::default()));
    }
    let retry = RetryLayer::new(Backoff::exponential(Duration::from_millis(10))).replay(Idempotent).within(MINUTE);
    let service = ServiceBuilder::new()
        .layer(retry.budget(Budget::default()))
        .buffer(16) // a balancer has no clones
        .service(Balance::new(ServiceList::new::<EmbedRequest>(members)));

    let answered = storm(service, servers).await;
    Ok(format!("balanced: {answered} of 400 calls answered, {}", states(&circuits)))
}

fn member(server: &Running, breaker: BreakerLayer) -> Result<Member, BoxError> {
    let embeddings = Embeddings::new(trysail::client(), Endpoint::openai(&server.url())?);
    Ok(breaker.layer(TimeoutLayer::new(Duration::from_secs(20)).layer(embeddings)))
}

fn circuit() -> Circuit {
    Circuit::new(Trip::consecutive(3))
}

/// How many of 400 calls, 8 at a time, are answered as the model does, if the first server is killed half of the way.
async fn storm<S>(service: S, servers: [Running; 2]) -> usize
where
    S: Service<EmbedRequest, Response = EmbedResponse, Error: Debug + Send, Future: Send> + Clone + Send + 'static,
{
    let [first, _second] = servers;
    let (mut first, mut answered) = (Some(first), 0);
    for round in 0..50 {
        let mut calls = JoinSet::new();
        for call in 0..8 {
            let service = service.clone();
            calls.spawn(async move {
                let text = format!("wave {round} of sea {call}");
                let answer = service.oneshot(EmbedRequest::new(MODEL, [&*text])).await.expect("it is answered");
                usize::from(answer.vectors().next() == Some(&Model::potion().embed(&text)))
            });
        }
        if round == 25 {
            // The calls are on their way.
            yield_now().await;
            first.take();
        }
        answered += calls.join_all().await.into_iter().sum::<usize>();
    }
    answered
}

fn states([first, second]: &[Circuit; 2]) -> String {
    format!("the first circuit is {:?}, the second {:?}", first.state(), second.state())
}

const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_fails_when_one_of_two_servers_is_killed() {
        assert_eq!(
            list().await.expect("it runs"),
            "list: 400 of 400 calls answered, the first circuit is Open, the second Closed"
        );
        assert_eq!(
            balanced().await.expect("it runs"),
            "balanced: 400 of 400 calls answered, the first circuit is Open, the second Closed"
        );
    }

    /// So that it can be taken anew: what is printed is to be stored.
    #[tokio::test]
    async fn the_stored_fingerprint_is_that_of_the_model() {
        let server = EmbeddingServer::new().bind().await.expect("a port");
        let member = member(&server, BreakerLayer::new(circuit())).expect("a URL");
        let taken = Family::new(MODEL, 64).fingerprint("a fair wind", member.clone()).await.expect("it answers");
        println!("{}", serde_json::to_string(&taken).expect("it can be stored"));
        let stored: Fingerprint = serde_json::from_str(include_str!("../fingerprint.json")).expect("it is one");
        assert_eq!((stored.family(), stored.probe()), (taken.family(), taken.probe()));
        stored.check(member).await.expect("it is the same model");
    }
}
