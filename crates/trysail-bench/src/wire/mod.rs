//! What the stack costs a client that sends its requests, over loopback.

mod clients;
mod figures;
mod payload;
mod peers;
mod round;
mod server;

use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Runtime;

use self::{
    clients::MakeTurn,
    figures::Figures,
    payload::Payload,
    round::{Turn, Until},
    server::Server,
};
use crate::{callgrind, cases::Case, table::Table};

/// The two protocols that a client speaks without TLS.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// What a client asks, and how long the answer is.
pub(crate) struct Question {
    pub(crate) url: String,
    pub(crate) body: Bytes,
    pub(crate) answer: usize,
}

macro_rules! counted {
    ($($name:literal => $client:ident, $protocol:ident;)*) => {
        /// A tiny answer, asked for by one client: for callgrind, which counts the server too.
        pub(crate) const ALL: &[Case] =
            &[$(Case { name: $name, run: |calls| count(clients::$client, Protocol::$protocol, calls) },)*];
    };
}

counted! {
    "HTTP 1, bare" => bare, Http1;
    "HTTP 1, trysail" => trysail, Http1;
    "HTTP 1, tower and recloser" => peers, Http1;
    "HTTP 1, reqwest" => reqwest, Http1;
    "HTTP 2, bare" => bare, Http2;
    "HTTP 2, trysail" => trysail, Http2;
    "HTTP 2, tower and recloser" => peers, Http2;
    "HTTP 2, reqwest" => reqwest, Http2;
}

/// How many instructions one call takes, of client and server: what noise cannot hide.
pub(crate) fn instructions() -> Result<Table, String> {
    let about = "Instructions by callgrind of one call that brings a tiny answer over loopback, client, server and \
                 runtime together, without the kernel; and what each client adds to the bare one.";
    let mut table = Table::new("Wire: instructions", about, &["client", "instructions", "added"]);
    let mut bare = 0;
    for case in ALL {
        let instructions =
            callgrind::instructions_per_call(case.name, CALLS).map_err(|why| format!("{}: {why}", case.name))?;
        if case.name.ends_with("bare") {
            bare = instructions;
        }
        let added = format!("{:+}", instructions - bare);
        table.rows.push(vec![case.name.to_owned(), instructions.to_string(), added]);
    }
    Ok(table)
}

/// Requests a second and latencies, a table for each protocol and answer; takes about so many seconds.
pub(crate) fn tables(seconds: f64) -> Result<Vec<Table>, String> {
    let turns = PROTOCOLS.len() * payload::ALL.len() * PLACES.len() * clients::ALL.len() * (ROUNDS + 1);
    let time = Duration::try_from_secs_f64(seconds / turns as f64).ok().filter(|time| *time >= SHORTEST);
    let time = time.ok_or_else(|| format!("{seconds} s are not enough: {turns} turns take 1 ms each, or longer"))?;
    let (runtime, server) = (runtime()?, Server::start()?);
    let cells = PROTOCOLS.iter().flat_map(|protocol| payload::ALL.iter().map(move |payload| (*protocol, payload)));
    cells.map(|(protocol, payload)| table(&runtime, &server, protocol, payload, time)).collect()
}

fn table(
    runtime: &Runtime,
    server: &Server,
    protocol: Protocol,
    payload: &Payload,
    time: Duration,
) -> Result<Table, String> {
    let name = match protocol {
        Protocol::Http1 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    };
    let about = format!(
        "{} bytes read to their end over loopback, one call at a time and 16 at once; client and server have a thread \
         each. Medians of {ROUNDS} rounds in which every client had its turn of {:.0} ms. The ratio is that of calls \
         a second to the bare client's in the same round; ± is how far the median of many more rounds may be from it \
         (95 %). The bare client is there twice: how far from 1 the second one is, is what noise does. Latencies in \
         microseconds.",
        payload.answer().len(),
        time.as_secs_f64() * 1e3,
    );
    let columns = ["client", "calls/s", "ratio", "±", "p50", "p99", "16: calls/s", "ratio", "±", "p50", "p99"];
    let mut table = Table::new(&format!("Wire: {name}, {}", payload.name), &about, &columns);
    let make = |(name, make): (&'static str, MakeTurn)| {
        Ok((name, make(protocol, Question::of(payload, server, protocol)).map_err(|why| format!("{name}: {why}"))?))
    };
    let clients = clients::ALL.into_iter().map(make).collect::<Result<Vec<_>, String>>()?;
    table.rows = clients.iter().map(|(name, _)| vec![(*name).to_owned()]).collect();
    for places in PLACES {
        let figures = measure(runtime, &clients, places, Until::Time(time))?;
        for (row, own) in table.rows.iter_mut().zip(&figures) {
            row.extend(own.cells(&figures[0]));
        }
    }
    Ok(table)
}

/// Lets each client have its turn in each round, every round begun by another one.
fn measure(runtime: &Runtime, clients: &[(&str, Turn)], places: usize, until: Until) -> Result<Vec<Figures>, String> {
    let mut figures: Vec<_> = clients.iter().map(|_| Figures::default()).collect();
    for round in 0..=ROUNDS {
        for turn in 0..clients.len() {
            let client = (round + turn) % clients.len();
            let (name, turn) = &clients[client];
            let done = turn(runtime, places, until).map_err(|why| format!("{name}: {why}"))?;
            // The first one opens the connections.
            if round > 0 {
                figures[client].add(done);
            }
        }
    }
    Ok(figures)
}

fn count(make: MakeTurn, protocol: Protocol, calls: u64) {
    let counted = || {
        let (runtime, server) = (runtime()?, Server::start()?);
        let turn = make(protocol, Question::of(&payload::ALL[0], &server, protocol))?;
        turn(&runtime, 1, Until::Calls(calls))
    };
    if let Err(why) = counted() {
        panic!("{why}");
    }
}

fn runtime() -> Result<Runtime, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot make a runtime: {error}"))
}

impl Question {
    fn of(payload: &Payload, server: &Server, protocol: Protocol) -> Self {
        let url = server.url(protocol, payload.path);
        Self { url, body: payload.question(), answer: payload.answer().len() }
    }
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];
const PLACES: [usize; 2] = [1, 16];
/// As many as let every client begin equally often.
const ROUNDS: usize = 50;
const CALLS: u32 = 1_000;
const SHORTEST: Duration = Duration::from_millis(1);
