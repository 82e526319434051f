//! Against a real Redis, where there is one.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::time::{sleep, timeout};

/// A Redis that runs until this is dropped.
struct Redis {
    child: Child,
    address: String,
}

impl Redis {
    fn start() -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let mut redis = Command::new("redis-server");
        redis.args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--save", "", "--appendonly", "no"]);
        let child = redis.stdout(Stdio::null()).spawn().ok()?;
        Some(Self { child, address: address.to_string() })
    }

    async fn up(&self) {
        while TcpStream::connect(&self.address).is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_real_redis_replies_as_the_imitation_does() {
    let Some(redis) = Redis::start() else {
        // Not `eprintln!`, which says nothing where a test passes.
        let _ = writeln!(io::stderr(), "SKIPPED: there is no redis-server on this machine, so none was asked");
        return;
    };
    timeout(Duration::from_secs(30), redis.up()).await.expect("it starts");
    let output = Command::new(env!("CARGO_BIN_EXE_not-http")).arg(&redis.address).output().expect("it runs");
    let printed = String::from_utf8(output.stdout).expect("it is text");
    // Nobody hangs up on a first guest here.
    let readme = include_str!("../README.md").replace("OK (asked 2 times)", "OK (asked 1 times)");
    assert!(readme.contains(&format!("```text\n{printed}```")), "{printed}");
}
