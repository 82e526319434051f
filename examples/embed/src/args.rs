use std::{path::PathBuf, time::Duration};

use clap::Parser;
use humantime::DurationError;
use trysail_testkit::Plan;

use crate::api::Api;

/// Turns lines of text into vectors: one JSON object a line, in the order of the input.
///
/// Every line that is not blank becomes {"line":1,"embedding":[…]}, or {"line":1,"error":{"class":…,"message":…,
/// "attempts":…}} if it cannot be had; several files add "file", and the first vector of a model "model". Lines travel in batches. A batch that meets a
/// failing server is sent again, with growing pauses and for as long as --deadline allows, so a storm slows the job
/// down but does not end it. One that is refused, or that keeps failing while others are answered, is halved until the
/// line that is to blame fails alone; a server's limit is learnt and kept to.
///
/// Input is UTF-8 text; UTF-16 and UTF-32, archives and PDFs are refused before anything is sent. LF and CR LF end a
/// line. A lone CR ends one in a text that has no LF, or two lone CRs before the first.
///
/// What no later line can escape ends the run: a rejected key, an exhausted quota, an unknown model, whatever refuses a
/// batch, its halves and single lines of it in the same words before anything is answered, or a server that asks to be
/// left alone for longer than the deadline. Lines not sent by then are written as failed.
///
/// Without --url and OPENAI_BASE_URL a small real model (potion-base-2M) answers from inside this program, and
/// --faults makes it as unreliable as you like.
#[derive(Debug, Parser)]
#[command(version, about, long_about, after_long_help = MORE, max_term_width = 100)]
pub(crate) struct Args {
    /// What to read; standard input if there is none, or for `-`
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Base URL of a server, such as http://localhost:8080/v1 [env: OPENAI_BASE_URL]
    #[arg(long, help_heading = "Server")]
    pub(crate) url: Option<String>,

    /// What the server at the URL speaks
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Api::Openai, help_heading = "Server")]
    pub(crate) api: Api,

    /// Version of Azure's interface
    #[arg(long, value_name = "DATE", default_value = "2024-10-21", help_heading = "Server")]
    pub(crate) api_version: String,

    /// Model to ask [default: text-embedding-3-small, or what the built-in server has]
    #[arg(long, value_name = "NAME", help_heading = "Server")]
    pub(crate) model: Option<String>,

    /// Environment variable that holds the API key [default: OPENAI_API_KEY, if it is set]
    #[arg(long, value_name = "VAR", help_heading = "Server")]
    pub(crate) api_key_env: Option<String>,

    /// A header of your own in every request, such as 'X-Tenant: harbour'; may be repeated, and is never shown
    #[arg(long = "header", value_name = "NAME: VALUE", help_heading = "Server")]
    pub(crate) headers: Vec<String>,

    /// A field of your own in the body of every request, such as truncate=true; JSON, or else a text
    #[arg(long = "field", value_name = "NAME=VALUE", help_heading = "Server")]
    pub(crate) fields: Vec<String>,

    /// A parameter of your own in the URL of every request, such as api-version=2024-10-21
    #[arg(long = "query", value_name = "NAME=VALUE", help_heading = "Server")]
    pub(crate) query: Vec<String>,

    /// How the built-in server fails: shares of its requests in percent, and outages
    ///
    /// For example 503:8,429=500ms:5,hang:1,reset:3,nan:2,down:2s@5s; or storm, in which a quarter fails. A name that
    /// does not exist gets you the list.
    #[arg(long, value_name = "PLAN", conflicts_with = "url", help_heading = "Server")]
    pub(crate) faults: Option<Plan>,

    /// Which requests the faults meet; the same seed does the same again
    #[arg(long, value_name = "N", requires = "faults", default_value_t = 0, help_heading = "Server")]
    pub(crate) seed: u64,

    /// Limit of connecting
    #[arg(long, value_name = "TIME", default_value = "3.1s", value_parser = duration, help_heading = "Patience")]
    pub(crate) connect_timeout: Duration,

    /// Limit of one attempt at a batch, from the request to the whole answer
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = duration, help_heading = "Patience")]
    pub(crate) attempt_timeout: Duration,

    /// Limit of silence inside an answer, once its body has begun
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration, help_heading = "Patience")]
    pub(crate) idle_timeout: Duration,

    /// Limit of a batch, all attempts and pauses included
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration, help_heading = "Patience")]
    pub(crate) deadline: Duration,

    /// How often a batch is sent again at most
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "Patience")]
    pub(crate) retries: u32,

    /// Lines in a request at most
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = at_least_one(2048), help_heading = "Pace")]
    pub(crate) batch: u32,

    /// Bytes in a line at most; a longer one is not sent, and fails alone
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = bytes(1 << 30), help_heading = "Pace")]
    pub(crate) max_line: u64,

    /// Requests in flight at most
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = at_least_one(1024), help_heading = "Pace")]
    pub(crate) concurrency: u32,

    /// Requests a minute at most; the server's answers may say less [default: as they say]
    #[arg(long, value_name = "N", value_parser = at_least_one(u32::MAX.into()), help_heading = "Pace")]
    pub(crate) rpm: Option<u32>,

    /// Tokens a minute at most; the server's answers may say less [default: as they say]
    ///
    /// A batch is taken for a token in four bytes until the server has said how many it has counted.
    #[arg(long, value_name = "N", value_parser = at_least_one(u32::MAX.into()), help_heading = "Pace")]
    pub(crate) tpm: Option<u32>,

    /// One pace for all embed processes that name the same Redis or Valkey [default: each has its own]
    ///
    /// Written redis://host or redis://user:password@host:port/database, with rediss:// for TLS. Processes share it that
    /// ask the same --url with the same key and the same --model: together they keep to --rpm, --tpm and what the server
    /// says. While Redis is away each goes on alone, with the share that it had. The key is never sent there.
    #[arg(long, value_name = "URL", help_heading = "Pace")]
    pub(crate) redis: Option<String>,

    /// Write here instead of to standard output; a pipe is opened for the first row
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,

    /// Keep the vectors that --out holds already, and ask for those only that are missing or failed
    ///
    /// The input must be the one it was, since lines are known by their numbers; and the model too, since vectors of
    /// another length, or of a model by another name, are errors beside those that are kept. Until the run ends, also by Ctrl-C, new
    /// rows are in FILE.resume beside it; if it is killed, the next one finds them there.
    #[arg(long, requires = "out", help_heading = "Output")]
    pub(crate) resume: bool,

    /// Write a line here for every batch and every attempt at one, to be tried against other settings
    ///
    /// Seconds since the start, `call` or `attempt`, the model, what came of it, seconds that it took, and what the server
    /// asked for, between tabs. `evaluate replay FILE` says what other limits and retries would have made of it.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) record: Option<PathBuf>,

    /// No progress bar and no summary; errors only
    #[arg(long, short, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Logs, errors and the summary as JSON, one object a line, and no progress bar
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

fn at_least_one(most: i64) -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=most)
}

fn bytes(most: u64) -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(1..=most)
}

/// One number with its unit or several: `500ms`, `3.1s`, `10m`, `1h 30m`.
fn duration(text: &str) -> Result<Duration, &'static str> {
    // Also where they are followed by others, months are a slip of the hand.
    if text.contains('M') {
        return Err("M would be months; write m for minutes");
    }
    match humantime::parse_duration(text.trim()) {
        Ok(Duration::ZERO) => Err("it leaves no time at all"),
        Ok(duration) if duration <= LONGEST => Ok(duration),
        Ok(_) => Err("it is longer than a year"),
        Err(DurationError::NumberOverflow) => Err("it is longer than a year, or shorter than a nanosecond"),
        Err(DurationError::UnknownUnit { unit, .. }) if unit.is_empty() => Err("write a unit, as in 500ms, 20s or 10m"),
        Err(DurationError::UnknownUnit { .. }) => Err("the units are ms, s, m, h and d"),
        Err(_) if text.trim_start().starts_with('-') => Err("write a time above zero, such as 500ms, 20s or 10m"),
        Err(_) => Err("write it like 500ms, 20s or 10m"),
    }
}

/// A year.
const LONGEST: Duration = Duration::from_secs(365 * 86_400 + 21_600);
const MORE: &str = "\
Exit status:
  0    every line has its vector
  1    some lines failed, or the output could not be written
  2    nothing could be started: wrong arguments, unreadable files, rows of another input
  130  interrupted with Ctrl-C; what is written stays whole and in order
  141  the reader of the output went away

Times are written 500ms, 3.1s, 10m or 1h 30m. Logs go to standard error as RUST_LOG says (default: warn);
RUST_LOG=trysail=debug shows every attempt, and why it was or was not repeated. The key is never shown.

Examples:
  embed notes.txt > vectors.jsonl
  cat *.txt | embed --url https://api.openai.com/v1 --model text-embedding-3-large --out vectors.jsonl
  embed --resume --out vectors.jsonl notes.txt
  embed --faults storm,down:3s@1s --batch 4 --out vectors.jsonl notes.txt";
