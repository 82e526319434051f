//! What a call costs, ours beside its peers in one run.

mod answer;
mod callgrind;
mod cases;
mod contention;
mod decode;
mod drive;
mod heap;
mod interleave;
mod peers;
mod scale;
mod table;
mod wire;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::table::Table;

/// What a call costs, ours beside its peers in one run.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Instructions per call of one layer or stack around a service that does nothing (needs valgrind).
    Overhead,
    /// What it costs to read an answer of 64 vectors of 1536 dimensions, and to judge it before (needs valgrind).
    Decode,
    /// Nanoseconds a call, of one thread and of two that share a budget or a circuit.
    Contention,
    /// Requests a second over loopback, with HTTP/1.1 and HTTP/2: the stack, its peers and the bare client in turn.
    Wire {
        /// How long it may take in all, about.
        #[arg(long, default_value_t = 150.0)]
        seconds: f64,
        /// Only the tables whose titles hold this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Instructions of one call over loopback, of the same clients (needs valgrind).
    WireInstructions,
    /// What a call costs and how much memory it needs as calls in flight, keys or windows grow (needs valgrind).
    Scale,
    /// Make so many calls of one case: what the others count.
    #[command(hide = true)]
    Run { case: String, calls: u64 },
}

fn main() -> ExitCode {
    match Args::parse().what {
        What::Overhead => overhead(),
        What::Contention => {
            contention::table();
            ExitCode::SUCCESS
        }
        What::Decode => show(decode::tables()),
        What::Wire { seconds, only } => show(wire::tables(seconds, &only)),
        What::WireInstructions => show(wire::instructions().map(|table| vec![table])),
        What::Scale => show(scale::tables()),
        What::Run { case, calls } => {
            let Some(case) = cases::ALL
                .iter()
                .chain(decode::ALL)
                .chain(wire::ALL)
                .chain(scale::cases())
                .find(|known| known.name == case)
            else {
                eprintln!("no case is called {case}");
                return ExitCode::from(2);
            };
            drive::on_a_clock(|| (case.run)(calls));
            ExitCode::SUCCESS
        }
    }
}

fn show(tables: Result<Vec<Table>, String>) -> ExitCode {
    match tables {
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

fn overhead() -> ExitCode {
    let about = "Instructions a call by callgrind, and what the layer adds to the bare service.";
    let mut table = Table::new("Overhead", about, &["case", "instructions", "added"]);
    let mut bare = 0;
    for case in cases::ALL {
        match callgrind::instructions_per_call(case.name, CALLS) {
            Ok(instructions) => {
                if case.name.starts_with("bare") {
                    bare = instructions;
                }
                let added = format!("{:+}", instructions - bare);
                table.rows.push(vec![case.name.to_owned(), instructions.to_string(), added]);
            }
            Err(problem) => {
                eprintln!("{}: {problem}", case.name);
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{table}");
    ExitCode::SUCCESS
}

const CALLS: u32 = 20_000;
