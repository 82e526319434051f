//! The layers around something that is not HTTP: a few lines of Redis' protocol over TCP.

mod redis;

use std::{
    env,
    error::Error,
    io,
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use trysail::prelude::*;

use self::redis::{Command, Reply, exchange, imitation};

/// What of the replies is a success, what may pass, and what will not.
fn judge(outcome: Result<&Reply, &io::Error>) -> Verdict {
    const PASSING: [&str; 3] = ["BUSY", "MASTERDOWN", "TRYAGAIN"];
    match outcome {
        Ok(Reply::Error(text)) if text.starts_with("LOADING") => Verdict::WARMING,
        Ok(Reply::Error(text)) if PASSING.iter().any(|code| text.starts_with(code)) => Verdict::TRANSIENT,
        Ok(Reply::Error(_)) => Verdict::PERMANENT,
        Ok(_) => Verdict::SUCCESS,
        Err(_) => Verdict::TRANSIENT,
    }
}

/// `GET` and `SET` may be sent twice; nobody knows how often an `INCR` that was not answered has counted.
fn copy(command: &Command) -> Option<Command> {
    ["GET", "SET"].contains(&command.name()).then_some(*command)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = match env::args().nth(1) {
        Some(address) => address.parse()?,
        None => imitation().await?,
    };
    ask(address, &["SET wind fair", "GET wind", "INCR wind", "GET storm"]).await;
    ask(nobody().await?, &["GET wind", "GET wind"]).await;
    Ok(())
}

async fn ask(address: SocketAddr, commands: &[&'static str]) {
    let asked = AtomicU32::new(0);
    let redis = service_fn(|command| {
        asked.fetch_add(1, Relaxed);
        exchange(address, command)
    });
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(5))) // the whole call
        .layer(
            RetryLayer::new(Backoff::exponential(Duration::from_millis(20)))
                .replay(copy)
                .within(Duration::from_secs(5)),
        )
        .layer(BreakerLayer::new(Circuit::new(Trip::consecutive(4))))
        .layer(TimeoutLayer::new(Duration::from_secs(1))) // one attempt
        .layer(ClassifyLayer::new(judge))
        .service(redis)
        .checked::<Command>();

    for command in commands {
        asked.store(0, Relaxed);
        let said = match service.clone().oneshot(Command::new(command)).await {
            Ok(reply) => reply.to_string(),
            Err(Failure::Response { response, .. }) => response.to_string(),
            Err(Failure::Service(failed)) => failed.error().kind().to_string(),
            Err(Failure::Open(_)) => "the circuit is open".to_owned(),
            Err(error) => error.to_string(),
        };
        println!("{command}: {said} (asked {asked:?} times)");
    }
}

/// An address where nobody listens any more.
async fn nobody() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0").await?.local_addr()
}
