use std::{
    collections::HashMap,
    env, fs,
    hint::black_box,
    path::Path,
    process::{self, Command},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use tokio::time::Instant;

/// Something that is run so many times, in a process of its own.
pub(crate) struct Counted {
    pub(crate) name: &'static str,
    pub(crate) run: fn(u64),
}

/// What callgrind counts while a case runs, in all of its threads.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) instructions: f64,
    /// Those of its first thread, which is the one that calls.
    pub(crate) of_caller: f64,
    /// Instructions that lock the bus, as every read-modify-write of an atomic does.
    pub(crate) locked: f64,
    pub(crate) allocations: f64,
    pub(crate) clock_reads: f64,
}

/// What one call of `case` takes: the difference of two runs, so that start and end cancel out.
pub(crate) fn per_call(case: &str, calls: u32) -> Result<Counts, String> {
    let run = |calls: u32| run(case, calls).map_err(|problem| format!("{case}: {problem}"));
    let (few, many) = thread::scope(|scope| {
        let few = scope.spawn(|| run(calls));
        let many = run(2 * calls);
        (few.join().expect("nothing in `run` panics"), many)
    });
    let (few, many) = (few?, many?);
    let each = |of: fn(&Counts) -> f64| (of(&many) - of(&few)) / f64::from(calls);
    Ok(Counts {
        instructions: each(|counts| counts.instructions),
        of_caller: each(|counts| counts.of_caller),
        locked: each(|counts| counts.locked),
        allocations: each(|counts| counts.allocations),
        clock_reads: each(|counts| counts.clock_reads),
    })
}

/// Fails unless callgrind counts what is known of a call of `known`.
pub(crate) fn check() -> Result<(), String> {
    let Counts { locked, allocations, clock_reads, .. } = per_call(KNOWN, 1_000)?;
    if (locked, allocations, clock_reads) == (2.0, 1.0, 1.0) {
        return Ok(());
    }
    Err(format!(
        "callgrind is not to be trusted here: for 2 locked instructions, 1 allocation and 1 clock reading \
         it has counted {locked}, {allocations} and {clock_reads}"
    ))
}

/// Takes two locked instructions, one allocation and one reading of the clock a call.
pub(crate) fn known(calls: u64) {
    let (sum, last) = (AtomicU64::new(0), AtomicU64::new(0));
    for call in 0..calls {
        sum.fetch_add(call, Ordering::Relaxed);
        last.swap(call, Ordering::Relaxed);
        black_box(Box::new(Instant::now()));
    }
    black_box((sum, last));
}

fn run(case: &str, calls: u32) -> Result<Counts, String> {
    let directory = env::temp_dir().join(format!("trysail-bench-{}-{case}-{calls}", process::id()));
    fs::create_dir_all(&directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
    let counts = count(case, calls, &directory);
    fs::remove_dir_all(&directory).map_err(|error| format!("cannot remove the profiles: {error}"))?;
    counts
}

/// Runs `case`, with a profile of each thread in `directory`.
fn count(case: &str, calls: u32, directory: &Path) -> Result<Counts, String> {
    let this = env::current_exe().map_err(|error| format!("cannot find this program to run it again: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-bus=yes", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", directory.join("profile").display()))
        .arg(this)
        .args(["run", case, &calls.to_string()])
        .output()
        .map_err(|error| format!("cannot run valgrind, which counts; is it installed? ({error})"))?;
    if !output.status.success() {
        return Err(format!("valgrind has failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    let unwritten = |error| format!("callgrind has written no profile: {error}");
    let mut all = Counts::default();
    for thread in 1.. {
        let file = directory.join(format!("profile-{thread:02}"));
        if thread > 1 && !file.exists() {
            break;
        }
        let profile = fs::read_to_string(file).map_err(unwritten)?;
        let counts = Counts::read(&profile);
        all = all.and(counts.ok_or("cannot read what callgrind has written; is it a new format?")?);
    }
    Ok(all)
}

impl Counts {
    /// With those of one more thread.
    fn and(self, other: Self) -> Self {
        Self {
            instructions: self.instructions + other.instructions,
            of_caller: if self.instructions > 0.0 { self.of_caller } else { other.instructions },
            locked: self.locked + other.locked,
            allocations: self.allocations + other.allocations,
            clock_reads: self.clock_reads + other.clock_reads,
        }
    }

    fn read(profile: &str) -> Option<Self> {
        let mut counts = Self::default();
        // A name is written once, with a number that stands for it from then on.
        let mut names = HashMap::new();
        let mut callee = "";
        for line in profile.lines() {
            if let Some(function) = line.strip_prefix("fn=").or(line.strip_prefix("cfn=")) {
                let (number, name) = function.split_once(' ').unwrap_or((function, ""));
                if !name.is_empty() {
                    names.insert(number, name);
                }
                callee = names.get(number)?;
            } else if let Some(calls) = line.strip_prefix("calls=") {
                let calls: f64 = calls.split(' ').next()?.parse().ok()?;
                match callee.split('@').next()? {
                    "clock_gettime" => counts.clock_reads += calls,
                    "malloc" | "calloc" | "realloc" | "posix_memalign" | "aligned_alloc" => counts.allocations += calls,
                    _ => {}
                }
            } else if let Some(events) = line.strip_prefix("events: ")
                && events != "Ir Ge"
            {
                return None;
            } else if let Some(totals) = line.strip_prefix("totals: ") {
                let (instructions, locked) = totals.split_once(' ')?;
                counts.instructions = instructions.parse().ok()?;
                counts.locked = locked.parse().ok()?;
            }
        }
        (counts.instructions > 0.0).then_some(counts)
    }
}

/// What `check` runs.
pub(crate) const KNOWN: &str = "known";

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn a_name_stands_for_its_number() {
        let profile = "events: Ir Ge\nfn=(1) run\ncfn=(2) malloc\ncalls=3 -4\n* 9\ncfn=(3) clock_gettime@@GLIBC_2.17\n\
                       calls=5 0\n* 9\nfn=(3)\n0 7\nfn=(4) other\ncfn=(2)\ncalls=10 0\ntotals: 100 6\n";
        let counts = Counts::read(profile).expect("it is a profile");
        assert_eq!(
            (counts.instructions, counts.locked, counts.allocations, counts.clock_reads),
            (100.0, 6.0, 13.0, 5.0)
        );
        assert!(Counts::read("events: Ir\ntotals: 100\n").is_none());
    }
}
