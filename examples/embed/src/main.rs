//! Lines of text in, vectors out, through a storm: an embedding job on top of trysail.

mod api;
mod args;
mod board;
mod calls;
mod claim;
mod cost;
mod earlier;
mod feed;
mod finished;
mod foreign;
mod heard;
mod input;
mod job;
mod latency;
mod logs;
mod own;
mod pace;
mod progress;
mod reason;
mod record;
mod resume;
mod rows;
mod sharing;
mod source;
mod space;
mod stack;
mod summary;
mod tally;
mod target;
mod text;
mod watched;

use std::{
    fs::File,
    io,
    path::Path,
    process::{self, ExitCode},
    sync::Arc,
};

use clap::{CommandFactory, Parser, error::ErrorKind};
use tokio::{runtime::Runtime, sync::Notify, time::Instant};
use trysail::{Client, Preset, RedisStore};

use crate::{
    args::Args,
    board::Board,
    claim::claim,
    earlier::Earlier,
    feed::{Feed, Sent},
    finished::Finished,
    job::End,
    logs::Voice,
    progress::Progress,
    record::Record,
    resume::{NO_FILE, beside, resume},
    rows::Rows,
    source::{Lines, Source},
    stack::stack,
    summary::{Sending, Summary},
    tally::Tally,
    target::Target,
    watched::{Settings, Watched},
};

fn main() -> ExitCode {
    let args = Args::parse();
    let prepared = match prepare(&args) {
        Ok(prepared) => prepared,
        Err(problem) => Args::command().error(ErrorKind::ValueValidation, problem).exit(),
    };
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => Args::command().error(ErrorKind::Io, error).exit(),
    };
    let code = runtime.block_on(run(args, prepared));
    // A name look-up that hangs is not waited for.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// What a run needs, all of it known to be usable.
struct Prepared {
    size: Option<u64>,
    lines: Lines,
    target: Target,
    rows: Rows,
    record: Option<Record>,
    redis: Option<RedisStore>,
}

/// Finds out what cannot work before anything starts.
fn prepare(args: &Args) -> Result<Prepared, String> {
    let target = Target::of(args)?;
    let redis = redis(args, &target)?;
    let source = Source::of(&args.files, args.max_line)?;
    let size = source.size();
    let (rows, earlier) = rows(args, &source)?;
    let record = record(args, &source)?;
    Ok(Prepared { size, lines: source.lines(earlier), target, rows, record, redis })
}

/// Where the pace is shared. What is wrong with the URL is said without it, since it may hold a password.
fn redis(args: &Args, target: &Target) -> Result<Option<RedisStore>, String> {
    let Some(url) = args.redis.as_deref() else { return Ok(None) };
    let store = RedisStore::open(url).map_err(|problem| format!("--redis: {problem}"))?;
    if target.is_built_in() {
        return Err("--redis is for a server at --url: each run has a built-in server of its own".into());
    }
    Ok(Some(store))
}

/// Where the trace goes, which is no input and no output.
fn record(args: &Args, source: &Source) -> Result<Option<Record>, String> {
    let Some(path) = args.record.as_deref() else { return Ok(None) };
    if source.reads(Some(path)) || args.out.as_deref() == Some(path) {
        return Err(format!("--record would overwrite an input or --out: {}", path.display()));
    }
    Record::to(path).map(Some).map_err(|error| format!("cannot write --record {}: {error}", path.display()))
}

/// Where rows go, and those that are there already.
fn rows(args: &Args, source: &Source) -> Result<(Rows, Option<Earlier>), String> {
    let named = args.out.as_deref();
    let Some(out) = named.filter(|out| !STDOUT.iter().any(|name| *out == Path::new(name))) else {
        return match named {
            Some(out) if args.resume => Err(format!("cannot resume --out {}: {NO_FILE}", out.display())),
            _ if source.reads(None) => Err("standard output would overwrite an input".into()),
            _ => Ok((Rows::stdout(), None)),
        };
    };
    if source.reads(Some(out)) {
        return Err(format!("--out would overwrite an input: {}", out.display()));
    }
    if args.resume {
        return resume(out, source);
    }
    let cannot = |error| format!("cannot write --out {}: {error}", out.display());
    let part = beside(out);
    if part.exists() {
        File::open(&part).and_then(|part| claim(&part)).map_err(cannot)?;
        let part = part.display();
        return Err(format!("{part} holds rows of a run that was killed; say --resume to keep them, or delete it"));
    }
    let rows = Rows::to(out).map_err(cannot)?;
    Ok((rows, None))
}

async fn run(args: Args, prepared: Prepared) -> u8 {
    let Prepared { size, lines, target, mut rows, record, redis } = prepared;
    let progress = if args.quiet || args.json { Progress::hidden() } else { Progress::of(size) };
    let voice = Voice::new(&args, progress.clone());
    let reached = match target.reach(args.model.clone()).await {
        Ok(reached) => reached,
        Err(error) => {
            voice.complain(&format!("the built-in server cannot start: {error}"));
            finish(&mut rows, End::Complete);
            return UNUSABLE;
        }
    };
    let preset = preset(&args);
    let account = reached.endpoint.account(&reached.model);
    let preset = redis.map_or(preset.clone(), |store| preset.shared(&store, account));
    let client = Client::builder().connect_timeout(args.connect_timeout);
    // A proxy cannot reach what listens inside this machine.
    let client = if reached.is_built_in() { client.no_proxy() } else { client };
    let board = Arc::new(Board::new(preset.pace().clone()));
    let recorder = record.as_ref().map(|record| record.recorder(&reached.model));
    let (service, usage) =
        stack(client.build(), args.idle_timeout, reached.endpoint.clone(), &preset, &board, recorder);
    let settings = Settings {
        deadline: args.deadline,
        attempt: args.attempt_timeout,
        keyed: reached.keyed,
        board: Arc::clone(&board),
    };

    let started = Instant::now();
    let following = progress.follow(Arc::clone(&board));
    let mut tally = Tally::default();
    let service = Watched { service, settings: Arc::new(settings) };
    let sent = Sent::default();
    let feed = Feed::new(lines.start(), sent.clone());
    let write = |mut finished: Finished| {
        rows.write(&mut finished)?;
        tally.add(&finished);
        board.done(finished.lines.len() as u64, finished.read());
        Ok(())
    };
    let (ended, conclusion) = job::run(service, &args, &reached.model, (feed, sent), write, interrupt()).await;
    let end = finish(&mut rows, ended);
    tally.kept = rows.kept();
    progress.clear();
    following.abort();
    if let Some(Err(error)) = record.map(|record| record.finish()) {
        voice.complain(&format!("cannot write the record: {error}"));
    }

    let sending = Sending {
        requests: board.requests(),
        divided: conclusion.divided,
        opened: preset.circuit().snapshot().opened(),
        pace: preset.pace().snapshot(),
        sharing: board.sharing(),
        usage: usage.snapshot(),
        server: reached.stats(),
    };
    let summary = Summary::of(&tally, &board.calls(), started.elapsed(), &sending);
    let closed = matches!(&end, End::Unwritable(error) if error.kind() == io::ErrorKind::BrokenPipe);
    if !closed {
        voice.conclude(conclusion.ended.as_ref(), &tally, &summary);
    }
    match end {
        End::Complete if tally.failures() == 0 => EMBEDDED,
        End::Complete => FAILED,
        End::Unreadable(error) => {
            voice.complain(&error.to_string());
            UNUSABLE
        }
        End::Interrupted => {
            let then = if args.out.is_some() { "; --resume goes on from there" } else { "" };
            voice.complain(&format!("interrupted; what is written is whole and in order, the rest is missing{then}"));
            INTERRUPTED
        }
        End::Unwritable(_) if closed => CLOSED,
        End::Unwritable(error) => {
            voice.complain(&format!("cannot write the rows: {error}"));
            FAILED
        }
    }
}

/// The policies that all batches share.
fn preset(args: &Args) -> Preset {
    let preset = Preset::bulk()
        .overall(args.deadline)
        .attempt(args.attempt_timeout)
        .retries(args.retries)
        .concurrency(args.concurrency);
    let preset = args.rpm.map_or(preset.clone(), |requests| preset.requests_per_minute(requests.into()));
    args.tpm.map_or(preset.clone(), |tokens| preset.tokens_per_minute(tokens.into()))
}

/// Puts the rows where they belong. What could not be written whole stays apart, for the next run to find.
fn finish(rows: &mut Rows, end: End) -> End {
    match end {
        End::Unwritable(_) => end,
        // It would wait for a reader, perhaps for ever.
        End::Interrupted if rows.is_unopened() => end,
        _ => rows.finish().map_or_else(End::Unwritable, |()| end),
    }
}

/// Is over at the first Ctrl-C; the second ends the program where it stands, should the output be blocked.
async fn interrupt() {
    let first = Arc::new(Notify::new());
    let notify = Arc::clone(&first);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            notify.notify_one();
            if tokio::signal::ctrl_c().await.is_ok() {
                process::exit(INTERRUPTED.into());
            }
        }
    });
    first.notified().await;
}

/// What standard output is called. Opened by its name it would lose what it holds, if that is a file.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
const EMBEDDED: u8 = 0;
const FAILED: u8 = 1;
const UNUSABLE: u8 = 2;
const INTERRUPTED: u8 = 130;
const CLOSED: u8 = 141;
