//! An embedding server that speaks OpenAI's dialect over real sockets, and fails as planned.
//!
//! ```no_run
//! # use trysail_testkit::EmbeddingServer;
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let server = EmbeddingServer::new().key("sk-test").faults("503:10,hang:2".parse()?).bind().await?;
//! println!("point a client at {}", server.url());
//! # Ok(())
//! # }
//! ```
//!
//! HTTP/1.1 and HTTP/2 without TLS: `POST /v1/embeddings`, `GET /v1/models` and `GET /healthz`. Faults meet the
//! embedding requests only, in the order in which they arrive; an outage is for all. A fault that ends a connection
//! ends it for everything that runs on it, and a fault of the answer does nothing to a request that is rejected.

mod answer;
mod connection;
mod deliver;
mod error;
mod journal;
mod refusal;
mod request;
mod routes;

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep},
};

use self::journal::Journal;
pub use self::journal::{Received, Stats};
use crate::{Model, Plan};

/// A server that is not running yet.
#[derive(Clone, Default)]
pub struct EmbeddingServer {
    models: Vec<String>,
    key: Option<String>,
    echo: bool,
    floats_only: bool,
    plan: Plan,
}

impl EmbeddingServer {
    /// A server for [`MODEL`] that wants no key and does not fail.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers to this model name, too.
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.models.push(name.into());
        self
    }

    /// Wants this key.
    pub fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Whether the error for a rejected embedding request repeats its key and its body, as careless servers do.
    pub fn echo_key(self, echo: bool) -> Self {
        Self { echo, ..self }
    }

    /// Whether base64 is refused.
    pub fn floats_only(self, floats_only: bool) -> Self {
        Self { floats_only, ..self }
    }

    /// Fails as planned; the clock of outages starts when the server does.
    pub fn faults(self, plan: Plan) -> Self {
        Self { plan, ..self }
    }

    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub async fn bind(self) -> io::Result<Running> {
        self.serve(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
    }

    /// Starts on `listener`.
    ///
    /// # Errors
    ///
    /// If the listener has no address.
    pub fn serve(self, listener: TcpListener) -> io::Result<Running> {
        let address = listener.local_addr()?;
        // Reading the model is not to slow the first answer down.
        Model::potion();
        let shared = Arc::new(Shared { settings: self, started: Instant::now(), journal: Journal::default() });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Running { address, shared, task })
    }
}

impl fmt::Debug for EmbeddingServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddingServer").field("faults", &format_args!("{}", self.plan)).finish_non_exhaustive()
    }
}

/// A server that runs until this is dropped, and then ends with all its connections.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Running {
    /// What an OpenAI client takes as its base URL.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// What it has seen so far.
    pub fn stats(&self) -> Stats {
        self.shared.journal.stats()
    }

    /// The last requests, oldest first; 10,000 at most.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.journal.requests()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    settings: EmbeddingServer,
    started: Instant,
    journal: Journal,
}

impl Shared {
    fn is_down(&self) -> bool {
        self.settings.plan.is_down(self.started.elapsed())
    }

    /// The names it answers to.
    fn models(&self) -> impl Iterator<Item = &str> {
        [MODEL].into_iter().chain(self.settings.models.iter().map(String::as_str))
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let app = routes::router(Arc::clone(&shared));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(stream, app.clone(), Arc::clone(&shared)));
                }
                // Out of file descriptors, most likely: some connection has to end first.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The model that every server has.
pub const MODEL: &str = "potion-base-2M";
