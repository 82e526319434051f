//! A server that misbehaves in exactly one way, down to the bytes, whatever it is asked.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use trysail_testkit::{HostileServer, hostile::Trick};
//! # async fn misbehave() -> std::io::Result<()> {
//! let server = HostileServer::start(Trick::EndlessBody).await?;
//! println!("point a client at {}", server.url());
//! assert!(server.idle(Duration::from_secs(1)).await, "the client hangs up");
//! # Ok(())
//! # }
//! ```
//!
//! It speaks just enough HTTP/1.1: any method and path, and requests that have a `content-length` or no body. Unless
//! the trick is not to, it keeps connections alive. It holds on to none that the client has closed its side of.

mod connection;
mod counts;
mod play;
mod trick;

use std::{
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use self::counts::Counts;
pub use self::trick::Trick;

/// Starts servers that misbehave.
#[derive(Clone, Copy, Debug)]
pub struct HostileServer;

impl HostileServer {
    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub async fn start(trick: Trick) -> io::Result<Hostile> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        let counts = Arc::new(Counts::default());
        let task = if matches!(trick, Trick::NeverAcceptsSyn) {
            tokio::spawn(stay_full(fill(socket.listen(0)?).await?))
        } else {
            tokio::spawn(accept(socket.listen(BACKLOG)?, trick, Arc::clone(&counts)))
        };
        Ok(Hostile { address, counts, task })
    }
}

/// A server that runs until this is dropped, and then ends with all its connections.
#[derive(Debug)]
pub struct Hostile {
    address: SocketAddr,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl Hostile {
    /// Its root, without a final slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Connections that were accepted.
    pub fn accepted(&self) -> usize {
        self.counts.now().accepted
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.counts.now().open
    }

    /// Requests that arrived whole.
    pub fn requests(&self) -> usize {
        self.counts.now().requests
    }

    /// Waits until no connection is open; says whether that came true `within` this time.
    ///
    /// A connection that the server has yet to accept is not open.
    pub async fn idle(&self, within: Duration) -> bool {
        timeout(within, self.counts.until(|now| now.open == 0)).await.is_ok()
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, trick: Trick, counts: Arc<Counts>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(stream, trick, counts.open()));
                }
                // Out of file descriptors, most likely: some connection has to end first.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A listener that is full, and the connections that fill it.
type Full = (TcpListener, Vec<TcpStream>);

/// Connects until a connect hangs: how many it takes is the system's business.
async fn fill(listener: TcpListener) -> io::Result<Full> {
    let address = listener.local_addr()?;
    let mut waiting = Vec::new();
    while let Ok(stream) = timeout(HANGS, TcpStream::connect(address)).await {
        waiting.push(stream?);
    }
    Ok((listener, waiting))
}

async fn stay_full(_full: Full) {
    pending().await
}

const BACKLOG: u32 = 1024;
/// On the loopback interface a connect takes microseconds.
const HANGS: Duration = Duration::from_millis(100);
