use crate::{
    case::Answer,
    overhead::{Overhead, Row},
};

/// What was to be reached.
pub(crate) struct Target {
    pub(crate) case: &'static str,
    pub(crate) answer: Answer,
    pub(crate) figure: Figure,
    pub(crate) bound: Bound,
    /// Why it is missed, if it is.
    pub(crate) why: &'static str,
}

/// A figure of a case.
#[derive(Clone, Copy)]
pub(crate) enum Figure {
    Instructions,
    Added,
    Allocations,
    ClockReads,
    Future,
    Alone,
    Shared,
}

/// What a figure is held against; `Under` it must not even reach.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    Under(f64),
    /// So many times the best of these.
    Part(f64, &'static [&'static str]),
    UnderBest(&'static [&'static str]),
}

/// How it came out.
pub(crate) struct Finding {
    pub(crate) limit: f64,
    pub(crate) measured: f64,
    pub(crate) held: bool,
}

impl Target {
    /// Holds the target against what was measured; `None` if a case it names was not.
    pub(crate) fn judge(&self, overhead: &Overhead) -> Option<Finding> {
        let figure = |case| overhead.row(case, self.answer).map(|row| self.figure.of(row));
        let best = |cases: &[&'static str]| {
            let figures: Option<Vec<f64>> = cases.iter().map(|case| figure(case)).collect();
            figures?.into_iter().min_by(f64::total_cmp)
        };
        let measured = figure(self.case)?;
        let (limit, strict) = match self.bound {
            Bound::AtMost(limit) => (limit, false),
            Bound::Under(limit) => (limit, true),
            Bound::Part(part, cases) => (part * best(cases)?, false),
            Bound::UnderBest(cases) => (best(cases)?, true),
        };
        Some(Finding { limit, measured, held: measured < limit || !strict && measured == limit })
    }

    /// The target in words.
    pub(crate) fn claim(&self) -> String {
        let bound = match self.bound {
            Bound::AtMost(limit) => format!("at most {limit}"),
            Bound::Under(limit) => format!("under {limit}"),
            Bound::Part(1.0, cases) => format!("at most that of {}", named(cases)),
            Bound::Part(part, cases) => format!("at most {part} of that of {}", named(cases)),
            Bound::UnderBest(cases) => format!("under that of {}", named(cases)),
        };
        format!("{}, {}: {} {bound}", self.case, self.answer.name(), self.figure.name())
    }
}

impl Figure {
    fn of(self, row: &Row) -> f64 {
        match self {
            // What callgrind counts once and not per call is a fraction of an instruction.
            Self::Instructions => row.counts.instructions.round(),
            Self::Added => row.added.round(),
            Self::Allocations => row.counts.allocations,
            Self::ClockReads => row.counts.clock_reads,
            Self::Future => row.future as f64,
            Self::Alone => row.time.alone,
            Self::Shared => row.time.shared,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Added => "added instructions",
            Self::Allocations => "allocations",
            Self::ClockReads => "clock readings",
            Self::Future => "bytes of the future",
            Self::Alone => "ns",
            Self::Shared => "ns in each of two threads",
        }
    }
}

fn named(cases: &[&str]) -> String {
    match cases {
        [case] => format!("`{case}`"),
        _ => "the best peer".to_owned(),
    }
}
