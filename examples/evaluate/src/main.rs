//! By how much it helps, beside what people would use instead, on a clock that waits for nobody.

mod clock;
mod dice;
mod faults;
mod jitter;
mod storm;
mod table;

use clap::{Parser, Subcommand};

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
}

#[derive(Subcommand)]
enum What {
    /// 10,000 calls through what people use, and what they meet: errors, hangs, outages, limits.
    Faults {
        /// How many calls each run makes.
        #[arg(long, default_value_t = faults::CALLS)]
        calls: usize,
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
    /// Clients that contend for one row, with our backoffs.
    Jitter {
        /// How often each is run.
        #[arg(long, default_value_t = jitter::TRIALS)]
        trials: usize,
    },
}

fn main() {
    let Args { what, json, seed } = Args::parse();
    let tables = match what {
        What::Faults { calls, policy, scenario } => {
            faults::tables(&faults::Choice { calls, policy, scenario }.rows(seed))
        }
        What::Storm { clients, policy, server } => {
            vec![storm::table(&storm::Choice { clients, policy, server }.rows(seed))]
        }
        What::Jitter { trials } => vec![jitter::table(&jitter::rows(&jitter::CLIENTS, trials, seed))],
    };
    for table in tables {
        if json {
            table.json().for_each(|row| println!("{row}"));
        } else {
            println!("{table}");
        }
    }
}
