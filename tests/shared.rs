//! Whose pace an `Embedder` and a `Preset` share: what they ask a store for.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tower::{BoxError, Layer, ServiceExt};
use trysail::{EmbedRequest, Embedder, Embeddings, Endpoint, Preset, Rate, RedisStore, throttle::Store};
use trysail_testkit::{EmbeddingServer, server::MODEL};

/// What takes every command, and knows nothing. It keeps what it was told.
struct Listener {
    url: String,
    told: Arc<Mutex<String>>,
}

impl Listener {
    async fn start() -> Result<Self, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("redis://{}", listener.local_addr()?);
        let told = Arc::<Mutex<String>>::default();
        let keeps = Arc::clone(&told);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(listen(stream, Arc::clone(&keeps)));
            }
        });
        Ok(Self { url, told })
    }

    fn told(&self) -> String {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The names of all paces it was asked for.
    fn paces(&self) -> BTreeSet<String> {
        let told = self.told();
        told.lines().filter(|line| line.starts_with("trysail:") && line.ends_with(":pace")).map(str::to_owned).collect()
    }
}

async fn listen(mut stream: TcpStream, keeps: Arc<Mutex<String>>) {
    let mut bytes = vec![0; 65_536];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        let said = String::from_utf8_lossy(&bytes[..read]).into_owned();
        let commands = said.lines().filter(|line| line.starts_with('*')).count();
        keeps.lock().unwrap_or_else(PoisonError::into_inner).push_str(&said);
        if stream.write_all("+OK\r\n".repeat(commands).as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The paces that `call` asks for.
async fn asked(listener: &Listener, call: impl Future<Output = Result<(), BoxError>>) -> Result<Vec<String>, BoxError> {
    let before = listener.paces();
    call.await?;
    let new = async {
        while listener.paces() == before {
            sleep(Duration::from_millis(5)).await;
        }
    };
    // None comes where it is asked for one that was asked for before.
    let _ = timeout(Duration::from_millis(300), new).await;
    Ok(listener.paces().difference(&before).cloned().collect())
}

async fn embeds(embed: Embedder) -> Result<(), BoxError> {
    embed.embed(["a fair wind"]).await?;
    Ok(())
}

#[tokio::test]
async fn one_pace_is_that_of_one_server_credential_and_model_whatever_the_order_in_which_they_are_set()
-> Result<(), BoxError> {
    let server = EmbeddingServer::new().bind().await?;
    let endpoint = Endpoint::openai(&server.url())?;
    let listener = Listener::start().await?;
    // As of two processes.
    let [here, there] = [RedisStore::open(&listener.url)?, RedisStore::open(&listener.url)?];
    let one = Embedder::new(endpoint.clone()).shared(&here).model(MODEL).key("sk-hunter2")?;
    let same = Embedder::new(endpoint.clone()).key("sk-hunter2")?.preset(Preset::bulk()).model(MODEL).shared(&there);
    let other_key = one.clone().key("sk-hunter3")?;
    assert_eq!(asked(&listener, embeds(one)).await?.len(), 1);
    assert_eq!(asked(&listener, embeds(same)).await?.len(), 0);
    assert_eq!(asked(&listener, embeds(other_key)).await?.len(), 1);

    let account = endpoint.key("sk-hunter2")?.account(MODEL);
    let preset = Preset::bulk().shared(&there, account).named("bulk").requests_per_minute(600);
    let service = preset.layer(Embeddings::new(trysail::client(), Endpoint::openai(&server.url())?));
    let call = async {
        service.oneshot(EmbedRequest::new(MODEL, ["a fair wind"])).await?;
        Ok(())
    };
    assert_eq!(asked(&listener, call).await?.len(), 0);
    for secret in ["hunter", "http://", MODEL] {
        assert!(!listener.told().contains(secret), "{secret} in {}", listener.told());
    }
    Ok(())
}

#[test]
fn what_is_set_of_a_shared_pace_stays_set_and_shared() -> Result<(), BoxError> {
    let store = RedisStore::open("redis://localhost")?;
    let before = Preset::bulk().named("bulk").requests_per_minute(600).shared(&store, "account");
    let after = Preset::bulk().shared(&store, "account").requests_per_minute(600).named("bulk");
    for preset in [before, after] {
        let pace = preset.pace();
        assert_eq!((pace.name(), pace.snapshot().store()), (Some("bulk"), Store::Shared));
        assert_eq!(pace.snapshot().request_rate(), Some(Rate::per_minute(600)));
        let alone = Preset::bulk().named("bulk").requests_per_minute(600);
        assert_eq!(pace.settings(), alone.pace().settings());
    }
    Ok(())
}
