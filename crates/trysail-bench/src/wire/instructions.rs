use crate::{
    callgrind::{self, Counted},
    table::Table,
    wire::{
        Protocol, Question,
        clients::{self, MakeTurn},
        over_reqwest, payload,
        round::Until,
        runtime,
        server::Server,
    },
};

macro_rules! counted {
    ($($name:literal => $client:path, $protocol:ident;)*) => {
        /// A tiny answer, asked for by one client: for callgrind, which counts the server too.
        pub(crate) const ALL: &[Counted] =
            &[$(Counted { name: $name, run: |calls| count($client, Protocol::$protocol, calls) },)*];
    };
}

counted! {
    "HTTP 1, bare" => clients::bare, Http1;
    "HTTP 1, trysail" => clients::trysail, Http1;
    "HTTP 1, tower and recloser" => clients::peers, Http1;
    "HTTP 1, reqwest" => over_reqwest::plain, Http1;
    "HTTP 1, reqwest, its retry" => over_reqwest::with_retry, Http1;
    "HTTP 1, async-openai's retry over reqwest" => over_reqwest::async_openai, Http1;
    "HTTP 2, bare" => clients::bare, Http2;
    "HTTP 2, trysail" => clients::trysail, Http2;
    "HTTP 2, tower and recloser" => clients::peers, Http2;
    "HTTP 2, reqwest" => over_reqwest::plain, Http2;
    "HTTP 2, reqwest, its retry" => over_reqwest::with_retry, Http2;
    "HTTP 2, async-openai's retry over reqwest" => over_reqwest::async_openai, Http2;
}

/// What one call of a client takes.
pub(crate) struct Cost {
    pub(crate) name: &'static str,
    pub(crate) instructions: f64,
    /// More than the bare client's.
    pub(crate) added: f64,
}

/// How many instructions one call takes, of client and server: what noise cannot hide.
pub(crate) fn costs() -> Result<Vec<Cost>, String> {
    let mut bare = 0.0;
    let cost = |case: &Counted| {
        let instructions = callgrind::per_call(case.name, CALLS)?.instructions;
        if case.name.ends_with("bare") {
            bare = instructions;
        }
        Ok(Cost { name: case.name, instructions, added: instructions - bare })
    };
    ALL.iter().map(cost).collect()
}

pub(crate) fn costs_table(costs: &[Cost]) -> Table {
    let mut table = Table::new("Wire: instructions", ABOUT, &["client", "instructions", "added"]);
    let row =
        |cost: &Cost| vec![cost.name.to_owned(), format!("{:.0}", cost.instructions), format!("{:+.0}", cost.added)];
    table.rows.extend(costs.iter().map(row));
    table
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

const ABOUT: &str = "\
Instructions by callgrind of one call that brings a tiny answer over loopback, client, server and runtime together, without \
the kernel; and what each client adds to the bare one.";
const CALLS: u32 = 1_000;
