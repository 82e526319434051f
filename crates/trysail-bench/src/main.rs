//! What a call costs, ours beside its peers in one run.

mod answer;
mod callgrind;
mod case;
mod cases;
mod chart;
mod contention;
mod decode;
mod drive;
mod fault;
mod heap;
mod interleave;
mod machine;
mod nothing;
mod openai;
mod overhead;
mod page;
mod peers;
mod scale;
mod size;
mod table;
mod target;
mod targets;
mod wire;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{decode::Decoded, overhead::Overhead, page::Page, table::Table, targets::Asked};

/// What a call costs, ours beside its peers in one run.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// What a call of each layer and stack costs around a service that does nothing (needs valgrind).
    Overhead {
        /// Without times: a busy machine will do.
        #[arg(long)]
        instructions: bool,
        /// Only the cases whose names hold this, without times as well.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Nanoseconds a call, of one thread and of two that share a budget or a circuit.
    Contention,
    /// What it costs to read an answer of 64 vectors of 1536 dimensions, and to judge it before (needs valgrind).
    Decode,
    /// Requests a second over loopback, with HTTP/1.1 and HTTP/2: the stack, its peers and the bare client in turn; and
    /// instructions of a call (needs valgrind).
    Wire {
        /// How long it may take, about, the counting apart.
        #[arg(long, default_value_t = WIRE)]
        seconds: f64,
        /// Only the tables whose titles hold this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// What a call costs and how much memory it needs as calls in flight, keys or windows grow (needs valgrind).
    Scale,
    /// How large a program is that makes one call, with and without layers.
    Size,
    /// All of these, and what is missed of what was asked.
    All {
        /// Write `performance.md` and `overhead.svg` into this directory.
        #[arg(long, value_name = "DIRECTORY")]
        write: Option<PathBuf>,
    },
    /// Make so many calls of one case: what the others count.
    #[command(hide = true)]
    Run { case: String, calls: u64 },
}

fn main() -> ExitCode {
    match measure(Args::parse().what) {
        Ok(tables) => {
            tables.iter().for_each(|table| println!("{table}"));
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure(what: What) -> Result<Vec<Table>, String> {
    match what {
        What::Overhead { instructions, only } => {
            let counted = instructions || !only.is_empty();
            let overhead = if counted { Overhead::count(&only)? } else { Overhead::measure()? };
            let mut tables = overhead.tables();
            tables.push(Asked::of_overhead(&overhead).table());
            Ok(tables)
        }
        What::Contention => Ok(vec![contention::table(cases::ALL)]),
        What::Decode => Ok(decode::measure()?.iter().map(Decoded::table).collect()),
        What::Wire { seconds, only } => {
            let mut tables = wire::tables(&wire::measure(seconds, &only)?);
            tables.push(wire::costs_table(&wire::costs()?));
            Ok(tables)
        }
        What::Scale => scale::tables(),
        What::Size => Ok(vec![size::table()?]),
        What::All { write } => {
            let page = page()?;
            if let Some(docs) = write {
                page.write(&docs)?;
            }
            Ok(page.into_tables())
        }
        What::Run { case, calls } => run(&case, calls).map(|()| Vec::new()),
    }
}

fn page() -> Result<Page, String> {
    let (wire, costs) = (wire::measure(WIRE, "")?, wire::costs()?);
    let (overhead, decoded) = (Overhead::measure()?, decode::measure()?);
    let asked = Asked::of(&overhead, &wire, &costs, &decoded);
    let mut others = vec![wire::summary(&wire), wire::costs_table(&costs)];
    others.extend(decoded.iter().map(Decoded::table));
    others.extend(scale::tables()?);
    others.push(size::table()?);
    Ok(Page { overhead, others, asked })
}

fn run(name: &str, calls: u64) -> Result<(), String> {
    if let Some(case) = overhead::run(name) {
        drive::on_a_clock(|| case(calls));
    } else if let Some(case) = decode::ALL.iter().chain(wire::ALL).chain(scale::cases()).find(|case| case.name == name)
    {
        drive::on_a_clock(|| (case.run)(calls));
    } else if name == callgrind::KNOWN {
        callgrind::known(calls);
    } else {
        return Err(format!("no case is called {name}"));
    }
    Ok(())
}

const WIRE: f64 = 210.0;
