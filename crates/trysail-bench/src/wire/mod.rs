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
use crate::{
    callgrind::{self, Counted},
    table::Table,
};

/// The two protocols that a client speaks without TLS.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// What a client asks, and how long the answer is.
#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) url: String,
    pub(crate) body: Bytes,
    pub(crate) answer: usize,
}

macro_rules! counted {
    ($($name:literal => $client:ident, $protocol:ident;)*) => {
        /// A tiny answer, asked for by one client: for callgrind, which counts the server too.
        pub(crate) const ALL: &[Counted] =
            &[$(Counted { name: $name, run: |calls| count(clients::$client, Protocol::$protocol, calls) },)*];
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
fn instructions() -> Result<Table, String> {
    let about = "Instructions by callgrind of one call that brings a tiny answer over loopback, client, server and \
                 runtime together, without the kernel; and what each client adds to the bare one.";
    let mut table = Table::new("Wire: instructions", about, &["client", "instructions", "added"]);
    let mut bare = 0.0;
    for case in ALL {
        let instructions = callgrind::per_call(case.name, CALLS)?.instructions;
        if case.name.ends_with("bare") {
            bare = instructions;
        }
        let added = format!("{:+.0}", instructions - bare);
        table.rows.push(vec![case.name.to_owned(), format!("{instructions:.0}"), added]);
    }
    Ok(table)
}

/// Requests a second and latencies, a table for each protocol and answer whose title holds `only`; takes about so many
/// seconds.
pub(crate) fn tables(seconds: f64, only: &str) -> Result<Vec<Table>, String> {
    let title = |protocol: Protocol, payload: &Payload| format!("Wire: {}, {}", protocol.name(), payload.name);
    let cells = PROTOCOLS.iter().flat_map(|protocol| payload::ALL.iter().map(|payload| (*protocol, payload)));
    let cells: Vec<_> = cells.filter(|(protocol, payload)| title(*protocol, payload).contains(only)).collect();
    if cells.is_empty() {
        return Err(format!("no table's title holds `{only}`; there is `Wire: HTTP/2, a tiny answer`, for one"));
    }
    let turns = cells.len() * PLACES.len() * clients::ALL.len() * (ROUNDS + CLIENTS);
    let time = Duration::try_from_secs_f64(seconds / turns as f64).ok().filter(|time| *time >= SHORTEST);
    let time = time.ok_or_else(|| format!("{turns} turns of 1 ms or longer do not fit into {seconds} s"))?;
    let (runtime, server) = (runtime()?, Server::start()?);
    let table = |(protocol, payload)| table(&title(protocol, payload), &runtime, &server, protocol, payload, time);
    let tables: Result<Vec<_>, _> = cells.into_iter().map(table).collect();
    Ok([tables?, vec![instructions()?]].into_iter().flatten().collect())
}

fn table(
    title: &str,
    runtime: &Runtime,
    server: &Server,
    protocol: Protocol,
    payload: &Payload,
    time: Duration,
) -> Result<Table, String> {
    let about = format!(
        "{} bytes read to their end over loopback, one call at a time and 16 at once; client and server have a thread \
         each. Medians of {ROUNDS} rounds in which every client had its turn of {:.0} ms, {CLIENTS} times with new \
         clients, since no two connections are alike. The ratio is that of calls a second to the bare client's in the \
         same round; ± is how far the median of many more rounds may be from it (95 %). The bare client is there \
         twice: how far from 1 the second one is, is what noise does. CPU is the time of the client's thread for a call, \
         kernel included, where Linux counts it.",
        payload.answer().len(),
        time.as_secs_f64() * 1e3,
    );
    let mut table = Table::new(title, &about, &[&["client"], &Figures::COLUMNS[..]].concat());
    let question = Question::of(payload, server, protocol);
    for places in PLACES {
        let mut figures: Vec<_> = clients::ALL.iter().map(|_| Figures::default()).collect();
        for _ in 0..CLIENTS {
            let turns = turns(protocol, &question)?;
            for round in 0..=ROUNDS / CLIENTS {
                for client in order(round, turns.len()) {
                    let done = turns[client](runtime, places, Until::Time(time));
                    let done = done.map_err(|why| format!("{}: {why}", clients::ALL[client].0))?;
                    // The first round opens the connections.
                    if round > 0 {
                        figures[client].add(done);
                    }
                }
            }
        }
        for ((name, _), own) in clients::ALL.iter().zip(&figures) {
            table.rows.push([vec![format!("{name}, {places}")], own.cells(&figures[0])].concat());
        }
    }
    Ok(table)
}

/// New clients of all kinds.
fn turns(protocol: Protocol, question: &Question) -> Result<Vec<Turn>, String> {
    clients::ALL
        .into_iter()
        .map(|(name, make)| make(protocol, question.clone()).map_err(|why| format!("{name}: {why}")))
        .collect()
}
/// Who comes when: in each round another one begins, and everybody comes after everybody else equally often, where
/// their number is a prime.
fn order(round: usize, clients: usize) -> impl Iterator<Item = usize> {
    let step = 1 + round % (clients - 1);
    (0..clients).map(move |turn| (round + turn * step) % clients)
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

impl Protocol {
    const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

impl Question {
    fn of(payload: &Payload, server: &Server, protocol: Protocol) -> Self {
        let url = server.url(protocol, payload.path);
        Self { url, body: payload.question(), answer: payload.answer().len() }
    }
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];
const PLACES: [usize; 2] = [1, 16];
const ROUNDS: usize = 50;
/// How often all clients are made anew.
const CLIENTS: usize = 10;
const CALLS: u32 = 1_000;
const SHORTEST: Duration = Duration::from_millis(1);
