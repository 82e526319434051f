//! The server as a program, for clients in any language: `server [--port N] [--faults PLAN] [--seed N]`.

use std::{env, error::Error, net::Ipv4Addr, process::ExitCode};

use tokio::net::TcpListener;
use trysail_testkit::{EmbeddingServer, Plan};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(env::args().skip(1)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("server: {why}\nusage: server [--port N] [--faults 503:10,hang:2] [--seed N]");
            ExitCode::from(2)
        }
    }
}

async fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let (mut port, mut plan, mut seed) = (0, Plan::default(), 0);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        let wrong = |why: &dyn Error| format!("{flag} {value}: {why}");
        match flag.as_str() {
            "--port" => port = value.parse().map_err(|why| wrong(&why))?,
            "--faults" => plan = value.parse().map_err(|why| wrong(&why))?,
            "--seed" => seed = value.parse().map_err(|why| wrong(&why))?,
            _ => return Err(format!("unknown flag {flag}").into()),
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let server = EmbeddingServer::new().model("text-embedding-3-small").faults(plan.seeded(seed)).serve(listener)?;
    println!("{}", server.url());
    tokio::signal::ctrl_c().await?;
    eprintln!("{:#?}", server.stats());
    Ok(())
}
