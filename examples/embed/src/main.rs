//! Lines of text in, vectors out, through a storm: an embedding job on top of trysail.

mod api;
mod args;
mod batch;
mod board;
mod claim;
mod earlier;
mod finished;
mod job;
mod latency;
mod logs;
mod own;
mod progress;
mod reason;
mod resume;
mod rows;
mod source;
mod stack;
mod summary;
mod tally;
mod target;

use std::{
    fs::File,
    io,
    process::{self, ExitCode},
    sync::{Arc, OnceLock},
};

use clap::{CommandFactory, Parser, error::ErrorKind};
use tokio::{
    runtime::Runtime,
    sync::{Notify, Semaphore},
    time::Instant,
};
use trysail::{Client, Preset};

use crate::{
    args::Args,
    batch::Batches,
    board::Board,
    claim::claim,
    earlier::Earlier,
    job::{End, Job, Settings},
    logs::Voice,
    progress::Progress,
    resume::{beside, resume},
    rows::Rows,
    source::{Lines, Source},
    stack::stack,
    summary::Summary,
    tally::Tally,
    target::Target,
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
}

/// Finds out what cannot work before anything starts.
fn prepare(args: &Args) -> Result<Prepared, String> {
    let target = Target::of(args)?;
    let source = Source::open(&args.files)?;
    let size = source.size();
    let (rows, earlier) = rows(args, &source)?;
    Ok(Prepared { size, lines: source.lines(earlier), target, rows })
}

/// Where rows go, and those that are there already.
fn rows(args: &Args, source: &Source) -> Result<(Rows, Option<Earlier>), String> {
    let Some(out) = args.out.as_deref() else {
        return Ok((Rows::to(None).map_err(|error| error.to_string())?, None));
    };
    if source.reads(out) {
        return Err(format!("--out would overwrite an input: {}", out.display()));
    }
    if args.resume {
        return resume(out, &args.files, source);
    }
    let cannot = |error| format!("cannot write --out {}: {error}", out.display());
    let part = beside(out);
    if part.exists() {
        File::open(&part).and_then(|part| claim(&part)).map_err(cannot)?;
        let part = part.display();
        return Err(format!("{part} holds rows of a run that was killed; say --resume to keep them, or delete it"));
    }
    let rows = Rows::to(Some(out)).map_err(cannot)?;
    Ok((rows, None))
}

async fn run(args: Args, prepared: Prepared) -> u8 {
    let Prepared { size, lines, target, mut rows } = prepared;
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
    let preset = Preset::bulk()
        .overall(args.deadline)
        .attempt(args.attempt_timeout)
        .retries(args.retries)
        .concurrency(args.concurrency);
    let client = Client::builder().connect_timeout(args.connect_timeout);
    // A proxy cannot reach what listens inside this machine.
    let client = if reached.is_built_in() { client.no_proxy() } else { client };
    let board = Arc::new(Board::default());
    let service = stack(client.build(), args.idle_timeout, reached.endpoint.clone(), &preset, &board);
    let settings = Settings {
        model: reached.model.clone(),
        deadline: args.deadline,
        keyed: reached.keyed,
        concurrency: args.concurrency,
        permits: Semaphore::new(args.concurrency as usize),
        board: Arc::clone(&board),
        ended: OnceLock::new(),
    };

    let started = Instant::now();
    let following = progress.follow(Arc::clone(&board));
    let mut tally = Tally::new();
    let settings = Arc::new(settings);
    let job = Job { service, settings: Arc::clone(&settings) };
    let write = |finished| {
        rows.write(&finished)?;
        tally.add(&finished);
        Ok(())
    };
    let ended = job.run(Batches::new(lines.start(), args.batch), write, interrupt()).await;
    let end = finish(&mut rows, ended);
    tally.kept = rows.kept();
    progress.clear();
    following.abort();

    let summary =
        Summary::of(&tally, started.elapsed(), board.requests(), preset.circuit().snapshot().opened(), reached.stats());
    let closed = matches!(&end, End::Unwritable(error) if error.kind() == io::ErrorKind::BrokenPipe);
    if !closed {
        voice.conclude(settings.ended.get(), &tally, &summary);
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

/// Puts the rows where they belong. What could not be written whole stays apart, for the next run to find.
fn finish(rows: &mut Rows, end: End) -> End {
    match end {
        End::Unwritable(_) => end,
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

const EMBEDDED: u8 = 0;
const FAILED: u8 = 1;
const UNUSABLE: u8 = 2;
const INTERRUPTED: u8 = 130;
const CLOSED: u8 = 141;
