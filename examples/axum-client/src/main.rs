//! A handler that calls an embedding server through the stack in its state.

use std::{error::Error, time::Duration};

use axum::{
    BoxError, Extension, Router,
    extract::State,
    http::Request,
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use http_body_util::Full;
use tokio::{net::TcpListener, time::sleep};
use tower::{ServiceBuilder, ServiceExt};
use trysail::{
    Deadline, SendDeadlineLayer, Stack, TakeDeadlineLayer,
    prelude::*,
    transport::{propagate::SendDeadline, respond_to},
};
use trysail_testkit::{EmbeddingServer, Hostile, HostileServer, Trick, server::MODEL};

/// The whole stack by its type: `Clone`, as a state has to be, and nothing of it is boxed.
type Embed = Stack<Embeddings<SendDeadline<HttpClient>>>;

fn app(url: &str) -> Result<Router, BoxError> {
    let http = ServiceBuilder::new()
        .layer(SendDeadlineLayer::new()) // tells the embedding server how long it has
        .layer(HttpLayer::new())
        .service(Client::builder().no_proxy().build());
    let embed: Embed = Preset::interactive().layer(Embeddings::new(http, Endpoint::openai(url)?));
    Ok(Router::new().route("/", post(dimensions)).layer(TakeDeadlineLayer::new()).with_state(embed))
}

/// If the caller hangs up, axum drops this future, and with it the call wherever it is.
async fn dimensions(
    State(embed): State<Embed>,
    deadline: Option<Extension<Deadline>>,
    text: String,
) -> Result<String, Failed> {
    let request = EmbedRequest::new(MODEL, [text]);
    let request = match deadline {
        Some(Extension(deadline)) => request.deadline(deadline),
        None => request,
    };
    let answer = embed.oneshot(request).await?;
    Ok(format!("{} dimensions", answer.dimensions()))
}

/// What a handler fails with: the answer has the status and the hint that its callers know.
struct Failed(BoxError);

impl<E: Into<BoxError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        respond_to(&*self.0, true, self.0.to_string()).into_response()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = EmbeddingServer::new().bind().await?;
    let silent = HostileServer::start(Trick::NeverAnswers).await?;
    let (url, hangs) = (serve(app(&server.url())?).await?, serve(app(&silent.url())?).await?);

    let answer = ask(&url, "10000").await?;
    println!("{}: {}", answer.status(), String::from_utf8_lossy(answer.body()));
    println!("the server was told its deadline: {}", server.requests()[0].headers.contains_key("x-deadline-ms"));
    println!("{}", ask(&hangs, "50").await?.status());

    let before = silent.requests();
    tokio::select! {
        _ = ask(&hangs, "60000") => {}
        () = asked(&silent, before) => println!("the caller hangs up"),
    }
    println!("the call has ended with it: {}", silent.idle(Duration::from_secs(5)).await);
    Ok(())
}

async fn serve(app: Router) -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(url)
}

async fn ask(url: &str, deadline_ms: &str) -> Result<Response<Bytes>, BoxError> {
    let request = Request::post(url).header("x-deadline-ms", deadline_ms).body(Full::<Bytes>::from("a fair wind"))?;
    let client = CollectLayer::new(1 << 20).layer(Client::builder().no_proxy().build());
    Ok(client.oneshot(request).await?)
}

async fn asked(server: &Hostile, before: usize) {
    while server.requests() == before {
        sleep(Duration::from_millis(5)).await;
    }
}
