//! A Redis of its own for each test.

use std::{
    fs,
    io::{self, Write},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use redis::{Client, Connection};
use tokio::time::{sleep, timeout};

/// One that runs until this is dropped; Valkey, where `TRYSAIL_REDIS_SERVER` says so.
pub(crate) struct Server {
    child: Child,
    port: u16,
    args: Vec<String>,
}

impl Server {
    /// `None` where there is none on this machine, which it says.
    pub(crate) async fn start(args: &[&str]) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|of| of.local_addr()).expect("a free port").port();
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let Some(child) = spawn(port, &args) else { return skipped("is not on this machine") };
        let mut server = Self { child, port, args };
        server.up().await.then_some(server).or_else(|| skipped("does not start like this"))
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// With a password in it.
    pub(crate) fn url_with(&self, password: &str) -> String {
        format!("redis://:{password}@127.0.0.1:{}", self.port)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// A connection beside those of the test.
    pub(crate) fn look(&self) -> Connection {
        Client::open(self.url()).and_then(|client| client.get_connection()).expect("it is up")
    }

    pub(crate) fn stop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it was running");
    }

    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(self.port, &self.args).expect("it ran before");
        assert!(self.up().await, "it ran before");
    }

    /// It neither answers nor hangs up.
    pub(crate) fn hang(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("there is a kill").success());
    }

    /// Waits until it is up; says whether it did not end before.
    async fn up(&mut self) -> bool {
        let up = async {
            while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
                if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                    return false;
                }
                sleep(Duration::from_millis(10)).await;
            }
            true
        };
        timeout(Duration::from_secs(30), up).await.expect("it starts or ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(nodes(self.port));
    }
}

/// Where a node of a cluster keeps what it knows of the others.
pub(crate) fn nodes(port: u16) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("trysail-nodes-{port}.conf"))
}

fn skipped(why: &str) -> Option<Server> {
    // Not `eprintln!`, which says nothing where a test passes.
    let _ = writeln!(io::stderr(), "SKIPPED: {} {why}, so none was asked", program());
    None
}

fn program() -> String {
    std::env::var("TRYSAIL_REDIS_SERVER").unwrap_or_else(|_| "redis-server".into())
}

fn spawn(port: u16, args: &[String]) -> Option<Child> {
    let mut server = Command::new(program());
    server.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    server.arg("--cluster-config-file").arg(nodes(port)).args(args);
    server.stdout(Stdio::null()).spawn().ok()
}
