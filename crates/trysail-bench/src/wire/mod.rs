//! What the stack costs a client that sends its requests, over loopback.

mod clients;
mod figures;
mod instructions;
mod over_reqwest;
mod payload;
mod peers;
mod round;
mod server;

use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Runtime;

pub(crate) use self::instructions::{ALL, Cost, costs, costs_table};
use self::{
    figures::Figures,
    payload::Payload,
    round::{Turn, Until},
    server::Server,
};
use crate::table::Table;

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

/// One question that all clients asked in turn.
pub(crate) struct Measured {
    protocol: Protocol,
    payload: &'static Payload,
    /// How many calls each client had in flight.
    places: usize,
    time: Duration,
    figures: Vec<Figures>,
}

/// What all clients do with each question whose title holds `only`; takes about so many seconds.
pub(crate) fn measure(seconds: f64, only: &str) -> Result<Vec<Measured>, String> {
    let all = PROTOCOLS.iter().flat_map(|protocol| payload::ALL.iter().map(|payload| (*protocol, payload)));
    let all: Vec<_> = all.filter(|(protocol, payload)| title(*protocol, payload).contains(only)).collect();
    if all.is_empty() {
        return Err(format!("no table's title holds `{only}`; there is `Wire: HTTP/2, a tiny answer`, for one"));
    }
    let turns = all.len() * PLACES.len() * clients::ALL.len() * (ROUNDS + CLIENTS);
    let time = Duration::try_from_secs_f64(seconds / turns as f64).ok().filter(|time| *time >= SHORTEST);
    let time = time.ok_or_else(|| format!("{turns} turns of 1 ms or longer do not fit into {seconds} s"))?;
    let (runtime, server) = (runtime()?, Server::start()?);
    let all = all.into_iter().flat_map(|(protocol, payload)| PLACES.map(|places| (protocol, payload, places)));
    all.map(|(protocol, payload, places)| {
        eprintln!("asking: {}, {places} at once", title(protocol, payload));
        let figures = figures(&runtime, &Question::of(payload, &server, protocol), protocol, places, time)?;
        Ok(Measured { protocol, payload, places, time, figures })
    })
    .collect()
}

fn figures(
    runtime: &Runtime,
    question: &Question,
    protocol: Protocol,
    places: usize,
    time: Duration,
) -> Result<Vec<Figures>, String> {
    let mut figures: Vec<_> = clients::ALL.iter().map(|_| Figures::default()).collect();
    for _ in 0..CLIENTS {
        let turns = turns(protocol, question)?;
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
    Ok(figures)
}

/// All figures, a table for each protocol and answer.
pub(crate) fn tables(all: &[Measured]) -> Vec<Table> {
    all.chunk_by(|one, other| one.protocol == other.protocol && std::ptr::eq(one.payload, other.payload))
        .map(|alike| {
            let about = format!("{} bytes, read to their end. {}", alike[0].payload.answer().len(), alike[0].about());
            let columns = [&["client"], &Figures::COLUMNS[..]].concat();
            let mut table = Table::new(&title(alike[0].protocol, alike[0].payload), &about, &columns);
            for Measured { places, figures, .. } in alike {
                for ((name, _), own) in clients::ALL.iter().zip(figures) {
                    table.rows.push([vec![format!("{name}, {places}")], own.cells(&figures[0])].concat());
                }
            }
            table
        })
        .collect()
}

/// What matters of all that, in one table.
pub(crate) fn summary(all: &[Measured]) -> Table {
    let about = all.first().map_or_else(String::new, Measured::about);
    let columns = [
        "answer, calls at once",
        "bare: calls/s",
        "bare again",
        "trysail",
        "±",
        "tower, recloser",
        "reqwest",
        "its retry",
        "async-openai's",
        "bare: p50 µs",
        "p99 µs",
        "CPU µs",
        "trysail: p50 µs",
        "p99 µs",
        "CPU µs",
    ];
    let mut table = Table::new("Wire", &about, &columns);
    for Measured { protocol, payload, places, figures, .. } in all {
        let [bare, again, ours, peers, others @ ..] = &figures[..] else { continue };
        let ratio = |own: &Figures| format!("{:.3}", own.ratio(bare)[0]);
        let times = |own: &Figures| [own.micros(0.5), own.micros(0.99), own.busy()];
        let mut row = vec![format!("{}, {}, {places}", protocol.name(), payload.name), format!("{:.0}", bare.rate())];
        row.extend([ratio(again), ratio(ours), format!("{:.3}", ours.ratio(bare)[1]), ratio(peers)]);
        row.extend(others.iter().map(ratio));
        row.extend([times(bare), times(ours)].concat());
        table.rows.push(row);
    }
    table
}

impl Measured {
    /// What the stack leaves of the bare client's calls a second, and how sure that is.
    pub(crate) fn to_bare(&self) -> [f64; 2] {
        self.figures[OURS].ratio(&self.figures[0])
    }

    /// The same, of tower and recloser's.
    pub(crate) fn to_peers(&self) -> [f64; 2] {
        self.figures[OURS].ratio(&self.figures[PEERS])
    }

    /// Whether the answer is the smallest and the thread has most to do, so that the stack shows most.
    pub(crate) fn is_hardest(&self) -> bool {
        std::ptr::eq(self.payload, &payload::ALL[0]) && self.places == PLACES[1]
    }

    /// What was asked.
    pub(crate) fn name(&self) -> String {
        format!("{}, {} at once", title(self.protocol, self.payload), self.places)
    }

    fn about(&self) -> String {
        format!(
            "Over loopback, client and server with a thread each, one call at a time and 16 at once. Medians of {ROUNDS} \
             rounds in which every client had its turn of {:.0} ms, {CLIENTS} times with new clients, since no two \
             connections are alike. A ratio is that of calls a second to the bare client's in the same round; ± is how \
             far the median of many more rounds may be from it (95 %). The bare client is there twice: how far from 1 \
             the second one is, is what noise does. CPU is the time of the client's thread for a call, kernel included, \
             where Linux counts it.",
            self.time.as_secs_f64() * 1e3,
        )
    }
}

fn title(protocol: Protocol, payload: &Payload) -> String {
    format!("Wire: {}, {}", protocol.name(), payload.name)
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
/// Where the stack is among the clients.
const OURS: usize = 2;
const PEERS: usize = 3;
const ROUNDS: usize = 50;
/// How often all clients are made anew.
const CLIENTS: usize = 10;
const SHORTEST: Duration = Duration::from_millis(1);
