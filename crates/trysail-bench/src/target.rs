use crate::{
    case::Answer,
    overhead::{Overhead, Row},
    table::short,
};

/// What was asked of a case.
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
    Added,
    ClockReads,
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

/// What was asked for, and how it came out.
pub(crate) struct Finding {
    pub(crate) claim: String,
    pub(crate) limit: f64,
    pub(crate) measured: f64,
    pub(crate) verdict: Verdict,
    /// Why it is missed, if it is.
    pub(crate) why: &'static str,
}

/// The worst comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Missed,
    /// Missed by less than the measurement is sure of.
    NotToldApart,
    Met,
}

impl Target {
    /// Holds the target against what was measured; `None` if a figure that it needs was not.
    pub(crate) fn judge(&self, overhead: &Overhead) -> Option<Finding> {
        let figure = |case: &'static str| Some((self.figure.of(overhead.row(case, self.answer)?)?, case));
        let best = |cases: &[&'static str]| {
            let figures: Option<Vec<_>> = cases.iter().map(|case| figure(case)).collect();
            figures?.into_iter().min_by(|(one, _), (other, _)| one.total_cmp(other))
        };
        let (measured, _) = figure(self.case)?;
        let (limit, measured, strict, bound) = match self.bound {
            Bound::AtMost(limit) => (limit, measured, false, format!("at most {limit}")),
            Bound::Under(limit) => (limit, measured, true, format!("under {limit}")),
            Bound::Part(part, cases) => {
                let (best, case) = best(cases)?;
                (part, measured / best, false, format!("at most {part} of that of `{case}`"))
            }
            Bound::UnderBest(cases) => {
                let (best, case) = best(cases)?;
                (1.0, measured / best, true, format!("under that of `{case}`"))
            }
        };
        let claim = format!("{}, {}: {} {bound}", self.case, self.answer.name(), self.figure.name());
        let met = measured < limit || !strict && measured == limit;
        Some(Finding { claim, limit, measured, verdict: Verdict::of(met), why: self.why })
    }
}

impl Finding {
    /// What must reach `limit`, and is known but for so much.
    pub(crate) fn at_least(claim: String, limit: f64, [measured, uncertainty]: [f64; 2], why: &'static str) -> Self {
        let verdict = match measured {
            _ if measured >= limit => Verdict::Met,
            _ if measured + uncertainty >= limit => Verdict::NotToldApart,
            _ => Verdict::Missed,
        };
        Self { claim, limit, measured, verdict, why }
    }

    pub(crate) fn at_most(claim: String, limit: f64, measured: f64, why: &'static str) -> Self {
        Self { claim, limit, measured, verdict: Verdict::of(measured <= limit), why }
    }

    /// Claim, limit, what was measured, verdict.
    pub(crate) fn cells(&self) -> [String; 4] {
        let verdict = match self.verdict {
            Verdict::Missed => "missed",
            Verdict::NotToldApart => "not told apart",
            Verdict::Met => "met",
        };
        [self.claim.clone(), self.rounded(self.limit), self.rounded(self.measured), verdict.to_owned()]
    }

    /// Ratios need more decimals than numbers of instructions.
    fn rounded(&self, figure: f64) -> String {
        short(figure, if self.limit < 10.0 { 3 } else { 1 })
    }
}

impl Verdict {
    const fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::Missed }
    }
}

impl Figure {
    fn of(self, row: &Row) -> Option<f64> {
        Some(match self {
            // What callgrind counts once and not per call is a fraction of an instruction.
            Self::Added => row.added.round(),
            Self::ClockReads => row.counts.clock_reads,
            Self::Shared => row.time?.shared,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Added => "added instructions",
            Self::ClockReads => "clock readings",
            Self::Shared => "ns in each of two threads",
        }
    }
}
