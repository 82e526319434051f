//! The page of the manual, made of rows alone.

mod words;

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use clap::ValueEnum;
use serde::{Serialize, de::DeserializeOwned};

use self::words::{
    FAULT_REASONS, FAULTS, GOAL, INTRODUCTION, JITTER, LIMIT_REASONS, LIMITS, RATE_LIMITS, REAL, REAL_RATE_LIMITS,
    REAL_REASONS, STORM, STORM_REASONS,
};
use crate::{
    faults, jitter, limits, plots, real,
    storm::{self, Kind, name},
};

/// All that was tried.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) storm: Vec<storm::Row>,
    pub(crate) faults: Vec<faults::Row>,
    pub(crate) limits: Vec<limits::Row>,
    pub(crate) jitter: Vec<jitter::Row>,
    /// What was run for real, if it was.
    pub(crate) real: Vec<real::Row>,
    pub(crate) limits_real: Vec<limits::Row>,
}

impl Page {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            storm: storm::Choice::default().rows(seed),
            faults: faults::Choice { calls: faults::CALLS, policy: None, scenario: None }.rows(seed),
            limits: limits::rows(None, seed),
            jitter: jitter::rows(&jitter::CLIENTS, jitter::TRIALS, seed),
            real: Vec::new(),
            limits_real: Vec::new(),
        }
    }

    /// What was written before.
    pub(crate) fn read(docs: &Path) -> Result<Self, String> {
        let beside = docs.join("evaluation");
        let mut page = Self {
            storm: rows(&beside.join("storm.jsonl"))?,
            faults: rows(&beside.join("faults.jsonl"))?,
            limits: rows(&beside.join("limits.jsonl"))?,
            jitter: rows(&beside.join("jitter.jsonl"))?,
            real: Vec::new(),
            limits_real: Vec::new(),
        };
        page.read_real(docs);
        Ok(page)
    }

    /// What was run in real time before: it takes other programs, or differs from run to run, so it is not run with the rest.
    pub(crate) fn read_real(&mut self, docs: &Path) {
        let beside = docs.join("evaluation");
        self.real = rows(&beside.join("real.jsonl")).unwrap_or_default();
        self.limits_real = rows(&beside.join("limits-real.jsonl")).unwrap_or_default();
    }

    /// Writes `evaluation.md`, and its plots and rows into a directory beside it.
    pub(crate) fn write(&self, docs: &Path, seed: u64) -> Result<(), String> {
        let beside = docs.join("evaluation");
        plots::storm(&beside, seed)?;
        plots::faults(&beside, &self.faults, seed)?;
        let small = faults::Choice { calls: SMALL, policy: None, scenario: None }.virtual_rows(seed);
        for (file, text) in [
            (beside.join("storm.jsonl"), lines(&self.storm)),
            (beside.join("faults.jsonl"), lines(&self.faults)),
            (beside.join("faults-small.jsonl"), lines(&small)),
            (beside.join("limits.jsonl"), lines(&self.limits)),
            (beside.join("jitter.jsonl"), lines(&self.jitter)),
        ] {
            fs::write(&file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        }
        self.write_alone(docs)
    }

    /// Writes `evaluation.md`.
    pub(crate) fn write_alone(&self, docs: &Path) -> Result<(), String> {
        let file = docs.join("evaluation.md");
        fs::write(&file, self.markdown()).map_err(|error| format!("cannot write {}: {error}", file.display()))
    }

    fn markdown(&self) -> String {
        let faults: String = faults::tables(&self.faults).iter().map(|table| table.markdown() + "\n").collect();
        let real = if self.real.is_empty() { String::new() } else { real::table(&self.real).markdown() + REAL };
        let limits = limits::table(&self.limits).markdown() + RATE_LIMITS;
        let limits_real = if self.limits_real.is_empty() {
            String::new()
        } else {
            limits::real_table(&self.limits_real).markdown() + REAL_RATE_LIMITS
        };
        format!(
            "# Evaluation\n\n{}\n\n{}\n\n{INTRODUCTION}\n{}\n{}\n{FAULTS}\n{faults}{real}{limits}{limits_real}{}\n{LIMITS}",
            self.losses(),
            self.shortfalls(),
            self.storms(),
            storm::table(self.storm.iter().filter(|row| row.policy == storm::Policy::Trysail)).markdown(),
            self.jitters(),
        )
    }

    /// Where others do better, and why.
    pub(crate) fn losses(&self) -> String {
        let mut text = String::from("**Where ours loses.**");
        for (ours, best) in self.behind() {
            let patient = self
                .faults
                .iter()
                .find(|other| other.scenario == ours.scenario && other.policy == faults::Policy::TrysailPatient);
            let percent = |row: &faults::Row| format!("{:.2} %", row.success * 100.0);
            let patient = patient.map_or_else(String::new, |patient| format!(" (patient: {})", percent(patient)));
            let why = FAULT_REASONS.iter().find(|(name, _)| *name == ours.scenario).map_or("", |(_, why)| why);
            let (scenario, other) = (&ours.scenario, name(best.policy));
            let (ours, theirs) = (percent(ours), percent(best));
            write!(text, " `{scenario}`: {ours}{patient} of the calls succeed, and {theirs} with {other}{why}.")
                .expect("a string grows");
        }
        for (ours, best) in self.behind_for_real() {
            let (plan, other) = (&ours.plan, name(best.policy));
            let [ours, theirs] = [ours, best].map(|row| format!("{:.2} %", row.success * 100.0));
            let why = REAL_REASONS.iter().find(|(reason, _)| reason == plan).map_or("", |(_, why)| why);
            write!(text, " For real, `{plan}`: {ours}, and {theirs} with {other}{why}.").expect("a string grows");
        }
        for &server in Kind::value_variants() {
            let slower: Vec<_> = self.later(server).collect();
            if !slower.is_empty() {
                let why = STORM_REASONS.iter().find(|(kind, _)| *kind == server).map_or("", |(_, why)| why);
                write!(text, " Storm, `{}`: {}{why}.", name(server), slower.join("; ")).expect("a string grows");
            }
        }
        text
    }

    /// Where the throttle uses too little, or too much is refused, and why.
    fn shortfalls(&self) -> String {
        let mut text = String::from(GOAL);
        for (what, why) in LIMIT_REASONS {
            let missed: Vec<_> = self
                .missed()
                .filter(|row| row.job.contains(what))
                .map(|row| {
                    let told = if row.policy == limits::Policy::ThrottleHeaders { " with headers" } else { "" };
                    let (job, used, refused) = (&row.job, row.used * 100.0, row.refused * 100.0);
                    format!("`{job}`{told}: {used:.1} % used, {refused:.2} % refused")
                })
                .collect();
            if !missed.is_empty() {
                write!(text, " {}{why}.", missed.join("; ")).expect("a string grows");
            }
        }
        text
    }

    fn missed(&self) -> impl Iterator<Item = &limits::Row> {
        self.limits.iter().filter(|row| {
            let (used, refused) = match row.policy {
                limits::Policy::Throttle => (0.90, 0.03),
                limits::Policy::ThrottleHeaders => (0.97, 0.005),
                _ => return false,
            };
            row.used < used || row.refused > refused
        })
    }

    /// Rows of ours with the best of the others, where that is noticeably better.
    fn behind(&self) -> impl Iterator<Item = (&faults::Row, &faults::Row)> {
        let ours = self.faults.iter().filter(|row| row.policy == faults::Policy::Trysail);
        ours.filter_map(|ours| {
            let others = self.faults.iter().filter(|other| {
                let apart = !other.policy.is_ours() || other.policy == faults::Policy::TrysailWithoutThrottle;
                apart && other.scenario == ours.scenario
            });
            let best = others.max_by(|one, other| one.success.total_cmp(&other.success))?;
            (best.success - ours.success >= NOTICEABLE).then_some((ours, best))
        })
    }

    /// The same of what was run for real.
    fn behind_for_real(&self) -> impl Iterator<Item = (&real::Row, &real::Row)> {
        let ours = self.real.iter().filter(|row| row.policy == real::Policy::Trysail);
        ours.filter_map(|ours| {
            let beside = self.real.iter().filter(|other| other.plan == ours.plan && !other.policy.is_ours());
            let best = beside.max_by(|one, other| one.success.total_cmp(&other.success))?;
            (best.success - ours.success >= NOTICEABLE).then_some((ours, best))
        })
    }

    /// Where a policy with retries lets the server recover noticeably sooner than ours.
    fn later(&self, server: Kind) -> impl Iterator<Item = String> {
        storm::CLIENTS.into_iter().filter_map(move |clients| {
            use storm::Policy::{NoRetries, Trysail, TrysailWithoutBreaker};
            let here = || self.storm.iter().filter(move |row| row.server == server && row.clients == clients);
            let ours = here().find(|row| row.policy == Trysail)?;
            let others = here().filter(|row| !matches!(row.policy, NoRetries | Trysail | TrysailWithoutBreaker));
            let best = others.min_by_key(|row| row.recovery_s.unwrap_or(usize::MAX))?;
            let theirs = best.recovery_s?;
            if ours.recovery_s.is_some_and(|ours| ours < theirs + 5) {
                return None;
            }
            let when = ours
                .recovery_s
                .map_or_else(|| "never recovers".to_owned(), |seconds| format!("recovers after {seconds} s"));
            let best = name(best.policy);
            let processes = if clients == 1 { "process" } else { "processes" };
            Some(format!("with {clients} {processes} the server {when}, and after {theirs} s with {best}"))
        })
    }

    /// When the server recovers, for each kind of it.
    fn storms(&self) -> String {
        let mut text = String::from(STORM);
        for &server in Kind::value_variants() {
            let processes = storm::CLIENTS.map(|clients| clients.to_string()).join(" | ");
            write!(text, "\n| `{}`: policy | {processes} |\n| --- | ---: | ---: | ---: | ---: |\n", name(server))
                .expect("a string grows");
            for &policy in storm::Policy::value_variants() {
                let cell = |clients| {
                    let row = self
                        .storm
                        .iter()
                        .find(|row| row.policy == policy && row.server == server && row.clients == clients);
                    row.map_or_else(String::new, storm::Row::recovery)
                };
                let cells = storm::CLIENTS.map(cell).join(" | ");
                writeln!(text, "| {} | {cells} |", name(policy)).expect("a string grows");
            }
        }
        text
    }

    fn jitters(&self) -> String {
        let algorithms = jitter::Algorithm::value_variants();
        let names: Vec<_> = algorithms.iter().map(|&algorithm| name(algorithm)).collect();
        let mut text =
            format!("{JITTER}\n| clients | {} |\n| ---: {}|\n", names.join(" | "), "| ---: ".repeat(names.len()));
        let mut rows: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for row in &self.jitter {
            rows.entry(row.clients).or_default().push(format!("{}, {}", row.mean_time_ms, row.mean_calls));
        }
        for (clients, cells) in rows {
            writeln!(text, "| {clients} | {} |", cells.join(" | ")).expect("a string grows");
        }
        text
    }

    /// The three rows of the README.
    #[cfg(test)]
    pub(crate) fn summary(&self) -> String {
        use faults::Policy::{ByHand, Tower, Trysail};
        let row = |what: &str, cell: &dyn Fn(faults::Policy) -> String| {
            format!("| {what} | {} |\n", [ByHand, Tower, Trysail].map(cell).join(" | "))
        };
        let of = |scenario: &str, policy| {
            self.faults.iter().find(|row| row.scenario == scenario && row.policy == policy).expect("it is measured")
        };
        let success = |scenario: &'static str| move |policy| format!("{:.2} %", of(scenario, policy).success * 100.0);
        let requests = |policy| of("outage", policy).dead_requests.map_or_else(String::new, |count| count.to_string());
        [
            row("calls answered at a rate limit, 100 at once", &success("rate-limit")),
            row("lines embedded by a job with an outage of 30 s in it", &success("bulk-outage")),
            row("requests to a server that is down for 30 s, at 10 calls a second", &requests),
        ]
        .concat()
    }
}

fn rows<R: DeserializeOwned>(file: &Path) -> Result<Vec<R>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let row = |line| serde_json::from_str(line).map_err(|error| format!("{}: {error}", file.display()));
    text.lines().map(row).collect()
}

fn lines<R: Serialize>(rows: &[R]) -> String {
    rows.iter().map(|row| serde_json::to_string(row).expect("plain data is valid JSON") + "\n").collect()
}

/// How far behind is behind: half a point.
const NOTICEABLE: f64 = 0.005;
/// How many calls make a run that the tests repeat.
pub(crate) const SMALL: usize = 1_500;

#[cfg(test)]
mod tests {
    use super::*;

    fn committed() -> Page {
        Page::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")).expect("it is committed")
    }

    #[test]
    fn the_page_is_made_of_the_committed_rows() {
        assert_eq!(committed().markdown(), include_str!("../../../../docs/evaluation.md"));
    }

    #[test]
    fn the_readme_has_three_of_them() {
        let summary = committed().summary();
        assert!(include_str!("../../../../README.md").contains(&summary), "{summary}");
    }

    #[test]
    fn every_lost_row_has_its_reason() {
        let page = committed();
        assert!(page.markdown().starts_with("# Evaluation\n\n**Where ours loses.** `"));
        for (ours, best) in page.behind() {
            let reason = FAULT_REASONS.iter().any(|(scenario, _)| *scenario == ours.scenario);
            assert!(reason, "{ours:?}, {best:?}");
        }
        for (ours, best) in page.behind_for_real() {
            assert!(REAL_REASONS.iter().any(|(plan, _)| *plan == ours.plan), "{ours:?}, {best:?}");
        }
        for row in page.missed() {
            assert!(LIMIT_REASONS.iter().any(|(what, _)| row.job.contains(what)), "{row:?}");
        }
        for &server in Kind::value_variants() {
            let reason = STORM_REASONS.iter().any(|(kind, _)| *kind == server);
            assert!(reason || page.later(server).next().is_none(), "{server:?}");
        }
    }
}
