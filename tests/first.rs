//! The way to a first vector, and each default that can be overridden on it.

use std::{
    convert::Infallible,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower::{BoxError, Layer, Service, ServiceBuilder, service_fn};
use trysail::{
    Adjustable, Class, Classified, CollectLayer, EmbedStack, Embedder, Endpoint, Failure, HttpClient, HttpError,
    HttpLayer, HttpRequest, Preset, Stack,
};
use trysail_testkit::EmbeddingServer;

type Seen = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// A client that answers every request with one vector, and keeps its head and body.
fn recording() -> (
    impl Service<HttpRequest, Response = Response<Bytes>, Error = Failure<Response<Bytes>, Infallible>, Future: Send>
    + Clone
    + Send,
    Seen,
) {
    let seen = Seen::default();
    let sink = Arc::clone(&seen);
    let client = service_fn(move |request: HttpRequest| {
        let sink = Arc::clone(&sink);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.expect("it is at hand").to_bytes();
            let body = serde_json::from_slice(&body).expect("it is JSON");
            sink.lock().expect("nothing panics under it").push((head.headers, body));
            Ok(Response::new(Bytes::from_static(br#"{"data":[{"embedding":[0.5, 0.25]}]}"#)))
        }
    });
    (client, seen)
}

#[tokio::test]
async fn three_lines_lead_to_a_first_vector() -> Result<(), BoxError> {
    let server = EmbeddingServer::new().bind().await?;
    let embed = trysail::embeddings(&server.url())?.model("potion-base-2M");
    let answer = embed.embed(["a fair wind", "a storm at sea"]).await?;
    assert_eq!((answer.len(), answer.vectors().next().map(<[f32]>::len)), (2, Some(64)));

    let all = embed.embed_all((0..150).map(|n| format!("wave {n}"))).await?;
    assert_eq!((all.len(), server.stats().requests), (150, 6), "five batches more");
    Ok(())
}

#[tokio::test]
async fn every_default_of_it_can_be_overridden() -> Result<(), BoxError> {
    let (client, seen) = recording();
    let overall = Adjustable::new(Duration::from_secs(5));
    let embed = Embedder::new(Endpoint::openai("http://localhost/v1")?.header("x-tenant", "harbour")?)
        .client(client)
        .key("sk-own")?
        .model("bge-m3")
        .preset(Preset::bulk().limits(overall.clone(), Adjustable::new(Duration::from_secs(1))));
    embed.embed(["calm"]).await?;
    let mut layered = ServiceBuilder::new().service(embed.clone());
    layered.call(embed.request(["calm"]).dimensions(2)).await?;
    {
        let seen = seen.lock().expect("nothing panics under it");
        for (headers, body) in &*seen {
            assert_eq!(
                (headers["authorization"].to_str()?, headers["x-tenant"].to_str()?),
                ("Bearer sk-own", "harbour")
            );
            assert_eq!(body["model"], "bge-m3");
        }
        assert_eq!((seen.len(), &seen[1].1["dimensions"]), (2, &Value::from(2)));
    }
    overall.set(Duration::ZERO);
    let error = embed.embed(["calm"]).await.expect_err("there is no time");
    assert_eq!(error.verdict().class(), Class::Refused);
    Ok(())
}

/// What the variable holds is in `embeddings`' hands in a process of its own.
#[test]
fn a_key_of_the_environment_is_sent_over_https_alone() {
    let run = |key| {
        let mut command = Command::new(std::env::current_exe().expect("this is running"));
        let command = command.args(["--exact", "first::with_a_key_in_the_environment", "--ignored"]);
        command.env("OPENAI_API_KEY", key).output().expect("it runs again").status.success()
    };
    assert!(run("sk-environment"));
    assert!(run(""));
}

#[tokio::test]
#[ignore = "the test above runs it, with a key"]
async fn with_a_key_in_the_environment() -> Result<(), BoxError> {
    let set = std::env::var("OPENAI_API_KEY").is_ok_and(|key| key == "sk-environment");
    for (url, safe) in [("https://api.example.com/v1", true), ("http://api.example.com/v1", false)] {
        let (client, seen) = recording();
        trysail::embeddings(url)?.client(client).embed(["calm"]).await?;
        let seen = seen.lock().expect("nothing panics under it");
        let key = seen[0].0.get("authorization").map(|key| key.to_str().unwrap_or_default());
        assert_eq!(key, (safe && set).then_some("Bearer sk-environment"), "{url}");
        assert_eq!(seen[0].1["model"], "text-embedding-3-small");
    }
    let missing = Endpoint::openai("http://localhost/v1")?.key_from_env("TRYSAIL_NO_SUCH_KEY");
    assert!(missing.expect_err("it is not set").to_string().starts_with("TRYSAIL_NO_SUCH_KEY: "));
    Ok(())
}

/// All types of a program, spelled without a word of hyper's.
#[expect(dead_code, reason = "it is enough that they can be named")]
struct Named {
    http: HttpClient,
    http_stack: Stack<HttpClient>,
    typed: EmbedStack,
    why: HttpError,
    embed: Embedder,
}

#[tokio::test]
async fn the_foot_can_be_overridden_part_by_part() -> Result<(), BoxError> {
    let client =
        || service_fn(|_: HttpRequest| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("12345"))) });
    let ask = || Request::get("http://localhost/").body(Full::default());

    assert_eq!(&HttpLayer::new().layer(client()).call(ask()?).await?.body()[..], b"12345");
    let small = HttpLayer::new().collect(CollectLayer::new(4));
    assert!(small.layer(client()).call(ask()?).await.is_err());
    let strict = HttpLayer::new().judge(|_: Result<&Response<Bytes>, &_>| trysail::Verdict::PERMANENT);
    assert!(strict.layer(client()).call(ask()?).await.is_err());
    Ok(())
}
