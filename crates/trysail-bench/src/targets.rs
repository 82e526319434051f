//! What was asked for, all of it in figures of one run.

use crate::{
    case::Answer::{self, Pending, Ready},
    decode::Decoded,
    overhead::{Overhead, Row},
    table::Table,
    target::{Bound, Figure, Finding, Target, Verdict},
    wire::{Cost, Measured},
};

/// All that was asked, beside what was measured; what is missed comes first.
pub(crate) struct Asked(Vec<Finding>);

impl Asked {
    pub(crate) fn of(overhead: &Overhead, wire: &[Measured], costs: &[Cost], decoded: &[Decoded]) -> Self {
        let mut findings: Vec<_> = targets().iter().filter_map(|target| target.judge(overhead)).collect();
        findings.extend([allocations(overhead), futures(overhead)].into_iter().flatten());
        findings.extend(wire.iter().flat_map(throughput));
        findings.extend(costs.iter().filter_map(|ours| instructions(ours, costs)));
        findings.extend(decoded.iter().filter_map(numbers));
        findings.sort_by_key(|finding| finding.verdict);
        Self(findings)
    }

    /// Of the overhead alone.
    pub(crate) fn of_overhead(overhead: &Overhead) -> Self {
        Self::of(overhead, &[], &[], &[])
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new("What was asked", ABOUT, &["what", "limit", "measured", "verdict"]);
        table.rows.extend(self.0.iter().map(|finding| finding.cells().to_vec()));
        table
    }

    /// What is missed, each with its reason, as Markdown.
    pub(crate) fn missed(&self) -> String {
        let missed: Vec<_> = self.0.iter().filter(|finding| finding.verdict == Verdict::Missed).collect();
        let mut told = format!("## What is missed\n\n{} of {}", missed.len(), self.0.len());
        told.push_str(" things that were [asked](#what-was-asked) are missed.\n");
        let mut reasons: Vec<_> = missed.iter().map(|finding| finding.why).collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons.sort_by_key(|why| missed.iter().position(|finding| finding.why == *why));
        for why in reasons {
            told.push('\n');
            for finding in missed.iter().filter(|finding| finding.why == why) {
                let [claim, limit, measured, _] = finding.cells();
                told.push_str(&format!("- {claim}: {measured} where {limit} was asked.\n"));
            }
            told.push_str(&format!("\n{why}\n"));
        }
        told
    }
}

/// Calls a second: of the bare client's, where the answer is least and the thread has most to do; and of the peers'.
fn throughput(measured: &Measured) -> Vec<Finding> {
    let name = measured.name();
    let ahead = Finding::at_least(
        format!("{name}: calls/s at least those of tower and recloser"),
        1.0,
        measured.to_peers(),
        WIRE,
    );
    if !measured.is_hardest() {
        return vec![ahead];
    }
    let bare = format!("{name}: calls/s at least {THROUGHPUT} of those of the bare client");
    vec![Finding::at_least(bare, THROUGHPUT, measured.to_bare(), WIRE), ahead]
}

fn instructions(ours: &Cost, all: &[Cost]) -> Option<Finding> {
    let protocol = ours.name.strip_suffix(", trysail")?;
    let peers = all.iter().find(|cost| cost.name == format!("{protocol}, tower and recloser"))?;
    let claim = format!("Wire: {protocol}: added instructions at most those of tower and recloser");
    Some(Finding::at_most(claim, 1.0, ours.added / peers.added, WIRE))
}

fn numbers(decoded: &Decoded) -> Option<Finding> {
    let rate = |name| decoded.rows.iter().find(|row| row.name == name).map(|row| row.rate);
    let ratio = rate("floats")? / rate("serde_json")?;
    let claim = "Decode: numbers: MB/s at least those of serde_json into a `Vec<f32>`".to_owned();
    Some(Finding::at_least(claim, 1.0, [ratio, 0.0], NUMBERS))
}

fn targets() -> Vec<Target> {
    let target = |case, answer, figure, bound, why| Target { case, answer, figure, bound, why };
    let mut all = vec![
        target(DEFAULT, Ready, Figure::Added, Bound::Part(0.8, STACKS), WINDOW),
        target(DEFAULT, Pending, Figure::Added, Bound::Part(1.0, STACKS), WINDOW),
        target("trysail breaker, default", Ready, Figure::Added, Bound::Part(1.1, RECLOSER), WINDOW),
        target("trysail breaker, streak", Ready, Figure::Added, Bound::UnderBest(RECLOSER), STREAK),
        target("trysail breaker, open", Ready, Figure::Added, Bound::Part(1.1, &["failsafe, open"]), REFUSAL),
        target("trysail retry, budget", Ready, Figure::Added, Bound::UnderBest(&["tower retry, budget"]), BUDGET),
        target("trysail timeout", Ready, Figure::Added, Bound::Part(1.0, TIMEOUTS), TIMER),
        target("trysail timeout", Pending, Figure::Added, Bound::Part(1.0, TIMEOUTS), TIMER),
        target(NO_LIMIT, Ready, Figure::Added, Bound::AtMost(60.0), THROTTLE),
        target(NO_LIMIT, Ready, Figure::ClockReads, Bound::AtMost(0.0), THROTTLE),
        target(NO_LIMIT, Ready, Figure::Shared, Bound::Under(60.0), THROTTLE),
        target(DEFAULT, Ready, Figure::Shared, Bound::Part(0.7, STACKS), SHARED),
    ];
    for answer in Answer::ALL {
        let shared = |&(case, peers)| target(case, answer, Figure::Shared, Bound::UnderBest(peers), SHARED);
        all.extend(PEERS.iter().map(shared));
    }
    all
}

/// The most that a row of ours has, whose name begins so.
fn worst(overhead: &Overhead, begin: &str, of: fn(&Row) -> f64) -> Option<f64> {
    let ours = |row: &&Row| row.case.bare == "bare" && row.case.name.contains("trysail");
    let rows = Answer::ALL.into_iter().flat_map(|answer| overhead.rows(answer));
    rows.filter(ours).filter(|row| row.case.name.starts_with(begin)).map(of).max_by(f64::total_cmp)
}

fn allocations(overhead: &Overhead) -> Option<Finding> {
    let most = worst(overhead, "", |row| row.counts.allocations)?;
    Some(Finding::at_most("trysail, every row: allocations at most 0".to_owned(), 0.0, most, ALLOCATION))
}

fn futures(overhead: &Overhead) -> Option<Finding> {
    let most = worst(overhead, "stack: ", |row| row.future as f64)?;
    Some(Finding::at_most("stack: trysail, every row: bytes of the future at most 176".to_owned(), 176.0, most, FUTURE))
}

const ABOUT: &str = "\
Each thing that was asked, beside what was measured above: a figure, or its ratio to that of a peer. That peer is the best of \
its kind in this run, for a stack with a budget the best with a budget. Where a speed is missed by less than its median is sure \
of, the two are not told apart.";

const DEFAULT: &str = "stack: trysail, default";
const NO_LIMIT: &str = "trysail throttle, no limit";
const THROUGHPUT: f64 = 0.97;

const RECLOSER: &[&str] = &["recloser"];
const TIMEOUTS: &[&str] = &["tower timeout", "tower-resilience timeout"];
const BREAKERS: &[&str] = &["recloser", "failsafe", "tower-resilience breaker"];
const STACKS: &[&str] = &["stack: tower, recloser", "stack: tower, failsafe", "stack: tower-resilience"];
const BUDGETED: &[&str] = &["stack: tower, recloser, budget", "stack: tower, failsafe, budget"];

/// Ours, each beside the peers of its kind.
const PEERS: &[(&str, &[&str])] = &[
    ("trysail timeout", TIMEOUTS),
    ("trysail retry", &["tower retry", "tower-resilience retry"]),
    ("trysail retry, budget", &["tower retry, budget"]),
    ("trysail breaker, streak", BREAKERS),
    ("trysail breaker, last 100", BREAKERS),
    ("trysail breaker, default", BREAKERS),
    ("trysail breaker, open", &["recloser, open", "failsafe, open"]),
    ("stack: trysail, streak", STACKS),
    (DEFAULT, STACKS),
    ("stack: trysail, default, budget", BUDGETED),
    ("full: trysail", &["full: tower, recloser"]),
    ("full: trysail, budget", &["full: tower, recloser, budget"]),
];

const WINDOW: &str = "\
The default trip takes a rate of the last 40 s, so it reads a clock when a call ends, finds the part of the window that \
the time belongs to, and counts there; recloser keeps the last 100 outcomes, and no time. The breakers of others that know \
a time read it two times a call, and four times.";
const STREAK: &str = "\
A circuit that counts failures in a row must know for each call whether it is closed, and tell a success from a failure by \
its verdict; recloser takes any error for a failure.";
const REFUSAL: &str = "\
A refusal says when to come back, so it reads a clock and takes a difference of two times; those of others say nothing.";
const BUDGET: &str = "\
A retry with a budget judges an outcome by its verdict, keeps a copy of the request and a share of the budget until the call \
ends, and counts the call.";
const TIMER: &str = "\
A timeout that is pending makes the same timer as tower's. Tower makes it with the call, in its place, and pays for it \
even if the answer is there at once; ours is made when the call turns out to be pending, and has to be moved.";
const THROTTLE: &str = "\
Also without a limit, a throttle minds pauses that the server has asked for, so it must know of each call whether one is \
on, and what the server has said at its end.";
const SHARED: &str = "\
Two threads that share a state take its cache line from each other, as often as each of them writes to it. A retry of \
tower's without a budget shares nothing.";
const ALLOCATION: &str = "A layer that allocates on success does so on each call.";
const FUTURE: &str =
    "The future of a call holds the timer in its place, 112 bytes, and what each layer must know at its end.";
const WIRE: &str = "\
Where an answer is tiny, a call takes so little of the client's thread that two timers, a copy of the request for a retry, \
one more header, a look at the answer and a date for the breaker show: what each client adds is counted under [Wire: \
instructions](#wire-instructions). Where the answer is large, or the thread has time to spare, they do not.";
const NUMBERS: &str = "\
`Embeddings` reads any shape of an answer, checks each value and all lengths, and finds out how a vector is written; \
serde_json fills a struct that fits this one shape and checks nothing.";

#[cfg(test)]
mod tests {
    use super::targets;
    use crate::{cases, target::Bound};

    #[test]
    fn every_target_names_cases_that_are_measured() {
        let known = |name: &str| cases::ALL.iter().any(|case| case.name == name);
        for target in targets() {
            assert!(known(target.case), "{}", target.case);
            if let Bound::Part(_, names) | Bound::UnderBest(names) = target.bound {
                assert!(names.iter().all(|name| known(name)), "{names:?}");
            }
        }
    }
}
