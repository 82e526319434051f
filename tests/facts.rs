//! What an error prints is what happened, at whatever height of the stack it is printed.

use std::{convert::Infallible, error::Error, future::pending, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{BoxError, Layer, ServiceExt, service_fn};
use trysail::{
    Client, CollectLayer, Embedder, Endpoint, HttpError, HttpLayer, HttpRequest, Preset, report, retry::Stop,
    transport::ClientError,
};
use trysail_testkit::EmbeddingServer;

/// What `error` prints, alone and in a box, and in a `main` that returns it.
fn printed<E: Error + Send + Sync + 'static>(error: E) -> [String; 3] {
    let (alone, debug) = (error.to_string(), format!("{error:?}"));
    [alone, BoxError::from(error).to_string(), debug]
}

fn says(what: &str, printed: [String; 3], facts: &[&str]) {
    let [alone, boxed, _] = &printed;
    assert_eq!(alone, boxed, "{what}");
    for fact in facts {
        assert!(alone.contains(fact), "{what}: {alone:?} does not say {fact:?}");
    }
    assert!(!alone.contains("sk-secret") && !printed[2].contains("sk-secret"), "{what}: {printed:?}");
    assert!(!alone.contains('\n') && !alone.ends_with('.'), "{what}: {alone}");
}

#[tokio::test]
async fn a_batch_whose_answer_is_too_large_is_asked_for_in_halves() -> Result<(), BoxError> {
    let server = EmbeddingServer::new().bind().await?;
    let foot = HttpLayer::new().collect(CollectLayer::new(4 << 10)).layer(Client::builder().no_proxy().build());
    let embed = trysail::embeddings(&server.url())?.model("potion-base-2M").client(foot);
    let texts = (0..16).map(|n| format!("wave {n}")).collect::<Vec<_>>();
    assert!(embed.embed(texts.clone()).await.is_err());
    assert_eq!(embed.embed_all(texts).await?.vectors().len(), 16);
    Ok(())
}

/// Somewhere nobody listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it has one").to_string()
}

fn once() -> Preset {
    Preset::interactive().retries(0)
}

async fn with_fault(fault: &str, preset: fn() -> Preset) -> Result<(String, String, String), BoxError> {
    let server = EmbeddingServer::new().faults(fault.parse()?).bind().await?;
    let embed = trysail::embeddings(&server.url())?.key("sk-secret")?.model("potion-base-2M").preset(preset());
    let error = embed.embed(["a fair wind", "calm"]).await.expect_err("it fails");
    let debug = format!("{error:?}");
    // What the first has heard of the server is news to it.
    let embed = embed.preset(preset());
    let batch = embed.embed_all(["a fair wind", "calm"]).await.expect_err("it fails");
    assert!(!format!("{debug}{batch:?}").contains("sk-secret"), "{debug}");
    Ok((error.to_string(), debug, batch.to_string()))
}

#[tokio::test]
async fn a_refused_connection_is_said_by_the_client_and_by_all_above_it() -> Result<(), BoxError> {
    let address = nowhere();
    let request = || Request::get(format!("http://{address}/v1")).body(Full::<Bytes>::default());
    let refused = ["connecting failed", "Connection refused"];

    let client: ClientError = Client::builder().no_proxy().build().oneshot(request()?).await.expect_err("refused");
    assert!(client.is_connect());
    says("client", printed(client), &refused);
    let client = || Client::builder().no_proxy().build::<Full<Bytes>>();
    says(
        "collect",
        printed(CollectLayer::new(9).layer(client()).oneshot(request()?).await.expect_err("refused")),
        &refused,
    );
    let failure: HttpError = HttpLayer::new().layer(client()).oneshot(request()?).await.expect_err("refused");
    says("failure", printed(failure), &refused);
    let stack = once().layer(HttpLayer::new().layer(client()));
    says("stack", printed(stack.oneshot(request()?).await.expect_err("refused")), &refused);

    let embed = trysail::embeddings(&format!("http://{address}/v1"))?.client(HttpLayer::new().layer(client()));
    let error = embed.preset(once()).embed(["calm"]).await.expect_err("refused");
    assert!(format!("{error:?}").contains("check that the server runs"), "{error:?}");
    says("typed", printed(error), &["Connection refused", &address]);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_an_error_is_said_with_its_status() -> Result<(), BoxError> {
    let cases = [
        ("401:100", "the server answered 401", "check the API key"),
        ("403:100", "the server answered 403", "the same request will fail again"),
        ("404-model:100", "the server answered 404 at http://127.0.0.1:", "check the model's name"),
        ("400-too-long:100", "the server answered 400", ""),
        ("503:100", "the server answered 503", ""),
        ("429-bare:100", "the server answered 429", "send more slowly"),
        ("quota:100", "the server answered 429 insufficient_quota", "billing"),
        ("wrong-count:100", "it holds 1 vectors for 2 inputs", ""),
    ];
    for (fault, fact, advice) in cases {
        let (said, debug, batch) = with_fault(fault, || once().overall(Duration::from_millis(900))).await?;
        assert!(said.contains(fact), "{fault}: {said}");
        assert!(debug.contains(advice), "{fault}: {debug}");
        // What is refused is asked for in halves.
        let halved = ["403:100", "400-too-long:100"].contains(&fault);
        assert!(batch.starts_with(if halved { "input 0 has no vector: " } else { "inputs 0 to 1 have no vectors: " }));
        assert!(batch.contains(fact), "{fault}: {batch}");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_key_the_advice_is_to_give_one() -> Result<(), BoxError> {
    let server = EmbeddingServer::new().key("sk-secret").bind().await?;
    let embed = trysail::embeddings(&server.url())?.model("potion-base-2M");
    let error = embed.embed(["calm"]).await.expect_err("the server wants a key");
    assert!(error.advice().is_some_and(|advice| advice.starts_with("no key was sent")), "{error:?}");

    let request = embed.request(["calm"]).header("authorization", "Bearer sk-other")?;
    let error = embed.oneshot(request).await.expect_err("it is another");
    assert_eq!(error.advice(), Some("check the API key and what it is entitled to"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_struck_is_said_with_its_name_and_its_length() -> Result<(), BoxError> {
    let hangs =
        || HttpLayer::new().layer(service_fn(|_: HttpRequest| pending::<Result<Response<Full<Bytes>>, Infallible>>()));
    let ask = || Request::get("http://a/").body(Full::default());
    let attempt = || once().attempt(Duration::from_secs(2));
    let overall = || once().overall(Duration::from_secs(1));
    let error = attempt().layer(hangs()).oneshot(ask()?).await.expect_err("it hangs");
    says("attempt", printed(error), &["attempt limit of 2s"]);
    let error = overall().layer(hangs()).oneshot(ask()?).await.expect_err("it hangs");
    says("overall", printed(error), &["overall limit of 1s"]);

    let embed = Embedder::new(Endpoint::openai("http://a/v1")?.key("sk-secret")?).client(hangs());
    let error = embed.clone().preset(attempt()).embed(["calm"]).await.expect_err("it hangs");
    says("typed attempt", printed(error), &["attempt limit of 2s"]);
    let error = embed.clone().preset(overall()).embed_all(["calm"]).await.expect_err("it hangs");
    says("batch", printed(error), &["input 0", "overall limit of 1s"]);

    let open = once();
    open.circuit().force_open();
    let error = open.layer(hangs()).oneshot(ask()?).await.expect_err("it is open");
    says("open", printed(error), &["the circuit is open", "by hand"]);
    let error = embed.preset(open).embed(["calm"]).await.expect_err("it is open");
    says("typed open", printed(error), &["the circuit is open", "by hand"]);
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_too_large_or_breaks_off_is_said() -> Result<(), BoxError> {
    let large =
        || service_fn(|_: HttpRequest| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("12345"))) });
    let ask = || Request::get("http://a/").body(Full::default());
    let collect = CollectLayer::new(4);
    let fact = ["the answer is larger than the limit of 4 bytes"];
    says("collect", printed(collect.layer(large()).oneshot(ask()?).await.expect_err("too large")), &fact);
    let foot = || HttpLayer::new().collect(collect).layer(large());
    says("failure", printed(foot().oneshot(ask()?).await.expect_err("too large")), &fact);
    // It was sent, and answered.
    let (_, report) = report(Preset::interactive().layer(foot()).oneshot(ask()?)).await;
    assert_eq!((report.attempts(), report.refusals(), report.stop()), (1, 0, Some(Stop::Verdict)));
    let embed = trysail::embeddings("http://a/v1")?.client(foot()).preset(once());
    says("typed", printed(embed.embed(["calm"]).await.expect_err("too large")), &["http://a", fact[0]]);

    let (said, ..) = with_fault("cut:100", once).await?;
    assert!(said.contains("the body of the answer broke off"), "{said}");
    let (said, ..) = with_fault("hang:100", || once().attempt(Duration::from_millis(50))).await?;
    assert!(said.contains("attempt limit of 50ms"), "{said}");
    Ok(())
}
