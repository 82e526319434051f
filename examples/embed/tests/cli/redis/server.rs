//! A Redis of its own for a test.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::time::{sleep, timeout};

/// One that runs until this is dropped; Valkey, where `TRYSAIL_REDIS_SERVER` says so.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// `None` where there is none on this machine, which it says.
    pub(crate) async fn start() -> Option<Self> {
        let program = std::env::var("TRYSAIL_REDIS_SERVER").unwrap_or_else(|_| "redis-server".into());
        let port = free_port();
        let mut command = Command::new(&program);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
        let Ok(child) = command.stdout(Stdio::null()).spawn() else {
            // Not `eprintln!`, which says nothing where a test passes.
            let _ = writeln!(io::stderr(), "SKIPPED: {program} is not on this machine, so none was asked");
            return None;
        };
        let server = Self { child, port };
        let up = async {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(30), up).await.expect("it starts");
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn stop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it was running");
    }

    /// A connection that is told of every command.
    pub(crate) fn watch(&self) -> TcpStream {
        let mut watch = TcpStream::connect(("127.0.0.1", self.port)).expect("it is up");
        watch.write_all(b"MONITOR\r\n").expect("it reads");
        let mut ok = [0; 5];
        watch.read_exact(&mut ok).expect("it answers");
        watch
    }

    /// What the connection was told so far.
    pub(crate) fn told(mut watch: TcpStream) -> String {
        watch.set_read_timeout(Some(Duration::from_millis(200))).expect("a limit");
        let mut told = Vec::new();
        // Ends with the limit, not with the text.
        let _ = watch.read_to_end(&mut told);
        String::from_utf8_lossy(&told).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One that nobody listens at.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|of| of.local_addr()).expect("a free port").port()
}
