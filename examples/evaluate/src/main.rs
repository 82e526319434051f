//! By how much it helps, beside what people would use instead, on a clock that waits for nobody.

mod clock;
mod dice;
mod faults;
mod jitter;
mod limits;
mod page;
mod plot;
mod plots;
mod real;
mod replay;
mod storm;
mod table;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{page::Page, replay::Trace, table::Table};

/// By how much it helps, beside what people would use instead.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    what: What,
    /// One JSON object for each row, instead of tables.
    #[arg(long, global = true)]
    json: bool,
    /// What every draw follows from: the same seed prints the same again.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// In real time: `faults` over sockets, beside the real clients and proxies of others, installed from PyPI; `limits` beside
    /// governor, which reads the clock of the machine.
    #[arg(long, global = true)]
    real: bool,
    /// Write the plots that belong to it into this directory, as SVG.
    #[arg(long, global = true, value_name = "DIRECTORY")]
    plots: Option<PathBuf>,
}

#[derive(Subcommand)]
enum What {
    /// 10,000 calls through what people use, and what they meet: errors, hangs, outages, limits.
    Faults {
        /// How many calls each run makes; 10,000 unless set, or 400 in real time.
        #[arg(long)]
        calls: Option<usize>,
        /// One policy alone.
        #[arg(long)]
        policy: Option<faults::Policy>,
        /// One scenario alone.
        #[arg(long)]
        scenario: Option<String>,
    },
    /// Whether a server that was slow for five seconds comes back while its callers repeat.
    Storm {
        /// Over so many processes the calls are spread, with a budget and a circuit each; 1, 10, 100 and 700 unless set.
        #[arg(long)]
        clients: Option<usize>,
        /// One policy alone.
        #[arg(long)]
        policy: Option<storm::Policy>,
        /// One kind of server alone.
        #[arg(long)]
        server: Option<storm::Kind>,
    },
    /// A job under a provider's rate limits: with the throttle, without, and with the limits of others.
    Limits {
        /// One policy alone.
        #[arg(long)]
        policy: Option<limits::Policy>,
    },
    /// Clients that contend for one row, with our backoffs.
    Jitter {
        /// How often each is run.
        #[arg(long, default_value_t = jitter::TRIALS)]
        trials: usize,
    },
    /// What other settings would have made of calls that were recorded (`embed --record FILE`).
    Replay {
        trace: PathBuf,
        #[command(flatten)]
        settings: replay::Settings,
        /// Try a few limits and numbers of retries, and show the best: more success, fewer requests or shorter waits.
        #[arg(long)]
        sweep: bool,
    },
    /// Storm, faults, limits and jitter.
    All {
        /// Write `evaluation.md` into this directory, and its plots and rows beside it.
        #[arg(long, value_name = "DIRECTORY")]
        write: Option<PathBuf>,
    },
    /// Write `evaluation.md` into this directory again, from the rows that are there.
    #[command(hide = true)]
    Page { docs: PathBuf },
}

fn main() -> ExitCode {
    let Args { what, json, seed, real, plots } = Args::parse();
    match run(what, plots.as_deref(), real, seed) {
        Ok(tables) => {
            for table in tables {
                if json {
                    table.json().for_each(|row| println!("{row}"));
                } else {
                    println!("{table}");
                }
            }
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: What, plots: Option<&Path>, real: bool, seed: u64) -> Result<Vec<Table>, String> {
    match what {
        What::Faults { calls, policy: None, scenario: None } if real => {
            let rows = clock::really(real::rows(calls.unwrap_or(real::CALLS), seed))?;
            Ok(vec![real::table(&rows)])
        }
        What::Limits { policy } if real => Ok(vec![limits::real_table(&limits::real_rows(policy, seed))]),
        _ if real => Err("--real is for `limits`, and for `faults` with all policies and plans".to_owned()),
        What::Faults { calls, policy, scenario } => {
            let calls = calls.unwrap_or(faults::CALLS);
            let rows = faults::Choice { calls, policy, scenario }.rows(seed);
            if let Some(directory) = plots {
                plots::faults(directory, &rows, seed)?;
            }
            Ok(faults::tables(&rows))
        }
        What::Storm { clients, policy, server } => {
            if let Some(directory) = plots {
                plots::storm(directory, seed)?;
            }
            Ok(vec![storm::table(&storm::Choice { clients, policy, server }.rows(seed))])
        }
        What::Limits { policy } => Ok(vec![limits::table(&limits::rows(policy, seed))]),
        What::Jitter { trials } => Ok(vec![jitter::table(&jitter::rows(&jitter::CLIENTS, trials, seed))]),
        What::All { write } => {
            let mut page = Page::new(seed);
            if let Some(directory) = plots {
                plots::storm(directory, seed)?;
                plots::faults(directory, &page.faults, seed)?;
            }
            if let Some(docs) = write {
                page.read_real(&docs);
                page.write(&docs, seed)?;
            }
            let mut tables = vec![storm::table(&page.storm)];
            tables.extend(faults::tables(&page.faults));
            tables.push(limits::table(&page.limits));
            tables.push(jitter::table(&page.jitter));
            Ok(tables)
        }
        What::Replay { trace, settings, sweep } => {
            let trace = Trace::read(&trace)?;
            let rows = if sweep { trace.sweep(settings, seed) } else { vec![trace.replay(settings, seed)] };
            Ok(vec![replay::table(&rows)])
        }
        What::Page { docs } => Page::read(&docs)?.write_alone(&docs).map(|()| Vec::new()),
    }
}
