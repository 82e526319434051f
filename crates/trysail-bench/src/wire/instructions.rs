use crate::{
    callgrind::{self, Counted, Counts},
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
    counts: Counts,
    bare: Counts,
    /// Instructions of the client and the server, more than with the bare client.
    pub(crate) added: f64,
}

/// How many instructions one call takes: what noise cannot hide.
pub(crate) fn costs() -> Result<Vec<Cost>, String> {
    let mut bare = Counts::default();
    let cost = |case: &Counted| {
        let counts = callgrind::per_call(case.name, CALLS)?;
        if case.name.ends_with("bare") {
            bare = counts;
        }
        Ok(Cost { name: case.name, counts, bare, added: counts.instructions - bare.instructions })
    };
    ALL.iter().map(cost).collect()
}

pub(crate) fn costs_table(costs: &[Cost]) -> Table {
    let columns = ["client", "of its thread", "added", "of both", "added", "allocations", "added"];
    let mut table = Table::new("Wire: instructions", ABOUT, &columns);
    table.rows.extend(costs.iter().map(|cost| {
        let cells = |of: fn(&Counts) -> f64| {
            [format!("{:.0}", of(&cost.counts)), format!("{:+.0}", of(&cost.counts) - of(&cost.bare))]
        };
        let all = [cells(|all| all.of_caller), cells(|all| all.instructions), cells(|all| all.allocations)];
        [vec![cost.name.to_owned()], all.concat()].concat()
    }));
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
Instructions by callgrind of one call that brings a tiny answer over loopback, without the kernel: those of the client's \
thread with its runtime, and those of the server's thread too, which has a header more to read where an attempt says which it \
is; allocations of both; and what each client adds to the bare one.";
const CALLS: u32 = 1_000;
