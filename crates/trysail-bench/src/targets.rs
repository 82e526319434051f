use tokio::time::Sleep;

use crate::{
    case::Answer::{self, Pending, Ready},
    overhead::Overhead,
    table::{Table, short},
    target::{Bound, Figure, Finding, Target},
    wire::Measured,
};

/// Every target, held or missed, and the prose on those that are missed.
pub(crate) fn judge(overhead: &Overhead, wire: &[Measured]) -> Result<(Table, Vec<&'static str>), String> {
    let about =
        "Each target beside what was measured above; of the best peer, that is the least of the stacks of others.";
    let mut table = Table::new("Where we miss", about, &["target", "limit", "measured", "verdict"]);
    let mut reasons = Vec::new();
    for target in ALL {
        let finding = target.judge(overhead).ok_or_else(|| format!("not measured: {}", target.claim()))?;
        let Finding { limit, measured, held } = finding;
        let verdict = if held { "held".to_owned() } else { format!("missed by {}", short(measured - limit, 1)) };
        table.rows.push(vec![target.claim(), short(limit, 1), short(measured, 1), verdict]);
        if !held && !target.why.is_empty() && !reasons.contains(&target.why) {
            reasons.push(target.why);
        }
    }
    for measured in wire {
        let [ratio, uncertainty] = measured.ratio();
        let verdict = if ratio >= THROUGHPUT {
            "held".to_owned()
        } else if ratio + uncertainty >= THROUGHPUT {
            format!("not told apart, ± {}", short(uncertainty, 3))
        } else {
            format!("missed by {}", short(THROUGHPUT - ratio, 3))
        };
        if verdict.starts_with("missed") && !reasons.contains(&WIRE) {
            reasons.push(WIRE);
        }
        let claim = format!("{}: calls/s of the bare client's at least", measured.name());
        table.rows.push(vec![claim, short(THROUGHPUT, 2), short(ratio, 3), verdict]);
    }
    Ok((table, reasons))
}

const fn target(case: &'static str, answer: Answer, figure: Figure, bound: Bound, why: &'static str) -> Target {
    Target { case, answer, figure, bound, why }
}

/// The last word of each is why it is missed, if it is.
const ALL: &[Target] = &[
    target("trysail timeout", Ready, Figure::Added, Bound::Part(1.0, &["tower timeout"]), ""),
    target("trysail timeout", Pending, Figure::Added, Bound::Part(1.0, &["tower timeout"]), TIMER),
    target("trysail retry, budget", Ready, Figure::Added, Bound::UnderBest(&["tower retry, budget"]), ""),
    target("trysail retry, budget", Pending, Figure::Added, Bound::UnderBest(&["tower retry, budget"]), ""),
    target("trysail retry, budget", Ready, Figure::Shared, Bound::Under(100.0), ""),
    target("trysail breaker, streak", Ready, Figure::Added, Bound::UnderBest(&["recloser"]), ""),
    target("trysail breaker, default", Ready, Figure::Added, Bound::UnderBest(&["recloser"]), RATE),
    target("trysail breaker, streak", Pending, Figure::Added, Bound::UnderBest(&["recloser"]), ""),
    target("trysail breaker, default", Pending, Figure::Added, Bound::UnderBest(&["recloser"]), RATE),
    target("trysail breaker, streak", Ready, Figure::Shared, Bound::Under(100.0), ""),
    target("trysail breaker, default", Ready, Figure::Shared, Bound::Under(100.0), RATE),
    target("trysail breaker, open", Ready, Figure::Instructions, Bound::Under(150.0), REFUSAL),
    target("trysail breaker, open", Ready, Figure::Alone, Bound::Under(40.0), REFUSAL),
    target(STREAK, Ready, Figure::Added, Bound::Part(0.75, PEERS), ""),
    target(STREAK, Pending, Figure::Added, Bound::Part(1.0, PEERS), TIMER),
    target(STREAK, Ready, Figure::Allocations, Bound::AtMost(0.0), ""),
    target(STREAK, Pending, Figure::Allocations, Bound::AtMost(0.0), ""),
    target(STREAK, Ready, Figure::ClockReads, Bound::AtMost(0.0), ""),
    target(STREAK, Pending, Figure::ClockReads, Bound::AtMost(1.0), ""),
    target(STREAK, Ready, Figure::Future, Bound::AtMost(FUTURE), ""),
    target(BUDGET, Ready, Figure::Shared, Bound::Part(1.0, PEERS), ""),
    target(DEFAULT, Ready, Figure::Added, Bound::Part(0.75, PEERS), RATE),
    target(DEFAULT, Pending, Figure::Added, Bound::Part(1.0, PEERS), RATE),
    target(DEFAULT, Ready, Figure::Allocations, Bound::AtMost(0.0), ""),
    target(DEFAULT, Pending, Figure::Allocations, Bound::AtMost(0.0), ""),
    target(DEFAULT, Ready, Figure::ClockReads, Bound::AtMost(1.0), ""),
    target(DEFAULT, Pending, Figure::ClockReads, Bound::AtMost(2.0), ""),
    target(DEFAULT, Ready, Figure::Future, Bound::AtMost(FUTURE), ""),
];

const TIMER: &str = "\
A timeout that is pending makes the same timer as tower's. Tower makes it with the call, in its place, and pays for it
even if the answer is there at once; ours is made when the call turns out to be pending, and has to be moved.";
const RATE: &str = "\
The default trip takes a rate of the last 40 s, so it reads a clock when a call ends; recloser and a trip on failures in
a row do not. The two other breakers that know a time read it two times a call, and four times.";
const REFUSAL: &str = "\
A refusal says when to come back, so it reads a clock and takes a difference of two times: the larger part of its
instructions, and, as the row of the clock shows, of its time.";

const WIRE: &str = "\
With an answer that is tiny, or a single vector, a call takes so little of the client's thread that two timers, a copy
of the request for a retry, one more header, a look at the answer and a date for the breaker show: what each client adds
is counted above. Where the answer is large, or the thread has time to spare, they do not.";

const THROUGHPUT: f64 = 0.99;
const STREAK: &str = "stack: trysail, streak";
const DEFAULT: &str = "stack: trysail, default";
const BUDGET: &str = "stack: trysail, streak, budget";
/// Retry, breaker and timeout of others.
const PEERS: &[&str] = &["stack: tower, recloser", "stack: tower, failsafe", "stack: tower-resilience"];
const FUTURE: f64 = size_of::<Sleep>() as f64 + 80.0;

#[cfg(test)]
mod tests {
    use super::{ALL, PEERS};
    use crate::{cases, target::Bound};

    #[test]
    fn every_target_names_cases_that_are_measured() {
        let known = |name: &str| cases::ALL.iter().any(|case| case.name == name);
        assert!(PEERS.iter().all(|name| known(name)));
        for target in ALL {
            assert!(known(target.case), "{}", target.case);
            if let Bound::Part(_, names) | Bound::UnderBest(names) = target.bound {
                assert!(names.iter().all(|name| known(name)), "{names:?}");
            }
        }
    }
}
