//! Processes that keep one pace: this test's own program, run again.

use std::{
    env,
    future::ready,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{runtime, task::JoinSet, time::sleep};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use trysail_throttle::{PaceSettings, Rate, ThrottleLayer, redis::RedisStore};

/// What the replicas of a test have in common.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) url: String,
    /// Requests a second for all of them.
    pub(crate) rate: u64,
    pub(crate) burst: u64,
    pub(crate) callers: usize,
    /// Whom they trust, if not the system's roots.
    pub(crate) roots: Option<PathBuf>,
}

/// A process that calls as fast as it may.
pub(crate) struct Replica {
    child: Child,
    sent: mpsc::Receiver<Line>,
}

/// What a replica says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Line {
    /// It has sent a call, at that time in seconds.
    Sent(f64),
    /// A call has failed.
    Failed,
}

impl Job {
    /// Starts one, whose callers wait so long between two calls.
    pub(crate) fn start(&self, between: Duration) -> Replica {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "replica::calls_as_fast_as_it_may", "--nocapture", "--ignored", "--test-threads=1"])
            .env("REPLICA_URL", &self.url)
            .env("REPLICA_RATE", self.rate.to_string())
            .env("REPLICA_BURST", self.burst.to_string())
            .env("REPLICA_CALLERS", self.callers.to_string())
            .env("REPLICA_BETWEEN", between.as_millis().to_string())
            .envs(self.roots.iter().map(|roots| ("SSL_CERT_FILE", roots)))
            .stdout(Stdio::piped())
            .stdin(Stdio::piped())
            .spawn()
            .expect("this program runs");
        let (tell, sent) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = match line.split_once(' ') {
                    Some(("SENT", at)) => Line::Sent(at.parse().expect("a time")),
                    Some(("FAILED", _)) => Line::Failed,
                    _ => continue,
                };
                let _ = tell.send(line);
            }
        });
        Replica { child, sent }
    }
}

impl Replica {
    /// All that it has said since the last time.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.sent.try_iter().collect()
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it was running");
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of a clock that all processes have.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

/// How many calls of these were sent then.
pub(crate) fn between(lines: &[Line], from: f64, until: f64) -> usize {
    lines.iter().filter(|line| matches!(line, Line::Sent(at) if (from..until).contains(at))).count()
}

fn setting(name: &str) -> Option<String> {
    env::var(format!("REPLICA_{name}")).ok()
}

fn number(name: &str) -> u64 {
    setting(name).and_then(|value| value.parse().ok()).expect("a number")
}

/// Ends with the process that has started it.
#[test]
#[ignore = "it is what the other tests run"]
fn calls_as_fast_as_it_may() {
    let Some(url) = setting("URL") else { return };
    thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(0);
    });
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let rate = Rate::per_second(number("RATE")).burst(number("BURST"));
        let pace = RedisStore::open(&url).expect("an URL").pace("account", PaceSettings::from(rate));
        let out = Arc::new(Mutex::new(std::io::stdout()));
        let say = {
            let out = Arc::clone(&out);
            move |line: String| {
                let _ = writeln!(out.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
            }
        };
        let sends = say.clone();
        let service = ThrottleLayer::new(pace).layer(service_fn(move |()| {
            sends(format!("SENT {:.6}", now()));
            ready(Ok::<_, BoxError>(()))
        }));
        let mut callers = JoinSet::new();
        for _ in 0..number("CALLERS") {
            let (mut service, say) = (service.clone(), say.clone());
            callers.spawn(async move {
                loop {
                    if let Err(error) = service.ready().await.expect("it is ready").call(()).await {
                        say(format!("FAILED {error}"));
                    }
                    sleep(Duration::from_millis(number("BETWEEN"))).await;
                }
            });
        }
        while callers.join_next().await.is_some() {}
    });
}
