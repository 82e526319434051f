//! The page of the manual, made of rows alone.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use clap::ValueEnum;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    faults, jitter, plots, real,
    storm::{self, Kind, name},
};

/// All that was tried.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) storm: Vec<storm::Row>,
    pub(crate) faults: Vec<faults::Row>,
    pub(crate) jitter: Vec<jitter::Row>,
    /// What was run for real, if it was.
    pub(crate) real: Vec<real::Row>,
}

impl Page {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            storm: storm::Choice::default().rows(seed),
            faults: faults::Choice { calls: faults::CALLS, policy: None, scenario: None }.rows(seed),
            jitter: jitter::rows(&jitter::CLIENTS, jitter::TRIALS, seed),
            real: Vec::new(),
        }
    }

    /// What was written before.
    pub(crate) fn read(docs: &Path) -> Result<Self, String> {
        let beside = docs.join("evaluation");
        Ok(Self {
            storm: rows(&beside.join("storm.jsonl"))?,
            faults: rows(&beside.join("faults.jsonl"))?,
            jitter: rows(&beside.join("jitter.jsonl"))?,
            real: real_rows(docs),
        })
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
        format!(
            "# Evaluation\n\n{}\n\n{INTRODUCTION}\n{}\n{}\n{FAULTS}\n{faults}{real}{}\n{LIMITS}",
            self.losses(),
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
        for &server in Kind::value_variants() {
            let slower: Vec<_> = self.later(server).collect();
            if !slower.is_empty() {
                let why = STORM_REASONS.iter().find(|(kind, _)| *kind == server).map_or("", |(_, why)| why);
                write!(text, " Storm, `{}`: {}{why}.", name(server), slower.join("; ")).expect("a string grows");
            }
        }
        text
    }

    /// Rows of ours with the best of the others, where that is noticeably better.
    fn behind(&self) -> impl Iterator<Item = (&faults::Row, &faults::Row)> {
        let ours = self.faults.iter().filter(|row| row.policy == faults::Policy::Trysail);
        ours.filter_map(|ours| {
            let others = self.faults.iter().filter(|other| other.scenario == ours.scenario && !other.policy.is_ours());
            let best = others.max_by(|one, other| one.success.total_cmp(&other.success))?;
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

/// What was run for real before: it takes other programs, so it is not run with the rest.
pub(crate) fn real_rows(docs: &Path) -> Vec<real::Row> {
    rows(&docs.join("evaluation").join("real.jsonl")).unwrap_or_default()
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

const FAULT_REASONS: &[(&str, &str)] = &[
    (
        "errors-50",
        ", since at 50 % of errors the circuit opens: the server is spared, and calls are refused that might have come \
         through",
    ),
    (
        "outage",
        ", since an open circuit asks again after 5 to 15 s only, and refuses calls until then, also when the server is \
         back",
    ),
    ("slow", ", which waits for as long as it takes; with a limit of time, all are within half a point"),
];

const STORM_REASONS: &[(Kind, &str)] = &[
    (Kind::Sheds, ": what is shed counts as a failure, so half of it opens the circuit for 5 s"),
    (
        Kind::Replicas,
        ": a retry that finds a healthy replica costs nothing, so the budget does not hold back what keeps the others at \
         their limit, and what opens the circuit is all that relieves them",
    ),
];

const INTRODUCTION: &str = "\
Calls through ours and through what people would use instead, all under the same faults from the same seed, on a clock \
that jumps from event to event. Ours is the code that ships, with its default settings. Every figure on this page, the \
plots and the rows in [evaluation/](evaluation) are written by

```sh
cargo run --release -p evaluate -- all --write docs
```

and can be had one by one: `evaluate storm --clients 100 --policy trysail --server fifo`, `evaluate faults --scenario \
outage`, `evaluate jitter`, each with `--json` and `--seed`. A test repeats a part of it and compares.
";

const STORM: &str = "\
## Storm: seconds until the server has recovered

```sh
cargo run --release -p evaluate -- storm
```

![Answers a second through a storm: ours, tower's budget, that of AWS, and no retries](evaluation/storm.svg)

For 1, 10, 100 and 700 processes that share 700 calls a second. `fifo` has one queue and drops from 1,000 a second to \
300; `sheds` answers 503 to what would wait for more than 0.1 s; `lifo` serves first what came last; `half` drops to 500; \
of `replicas` there are ten, with a queue each, of which four stand still.
";

const FAULTS: &str = "\
## Faults

```sh
cargo run --release -p evaluate -- faults
```

![Calls that succeed by the share of requests that fail](evaluation/errors.svg)

![Requests a second to a server that is down for 30 s](evaluation/outage.svg)

10,000 calls each, ten a second unless said; a healthy answer takes 50 ms, 20 at least. Every policy gives an attempt 5 s, \
also those whose default is longer or none; `unprotected` has no limit. Tries: `by-hand` and `openai-python` three, the \
others four; `trysail` is `Preset::interactive`, for jobs and batches `Preset::bulk`; `trysail-patient` is `bulk` with 60 s \
for a call. What a caller waited for is counted to the answer or the error. In trouble as a whole, a server is \"dead\"; it \
has recovered with the first good answer of which 19 of the next 20 are as good. Rows marked * ran on the clock of the \
machine, 20 times as fast, since their breaker reads that one: their times are coarse, and differ from run to run.
";

const REAL: &str = "
```sh
cargo run --release -p evaluate -- --real --json faults > docs/evaluation/real.jsonl
```

";

const JITTER: &str = "\
## Jitter: milliseconds until the last of so many clients is done, and writes that were tried

```sh
cargo run --release -p evaluate -- jitter
```

The model of AWS's article on exponential backoff and jitter: they contend for one row with optimistic locking, each until \
it has written once, 10 ms ± 2 away. Our backoffs, from 5 ms on, x 2, up to 2 s; means of 100 runs.
";

const LIMITS: &str = "\
## Limits of the models

- One server and one kind of trouble at a time; a real one has several, and a cache, a balancer and an autoscaler before it.
- Calls come by themselves, whatever happens. People who wait for an answer ask less when it is late.
- A server that is slow here works on for callers who have gone. Many notice, and have less to catch up with.
- The policies of others in `storm` are models of what they publish, but for tower's budget, which is tower's own code; it \
grants a little more than its settings say (compare `finagle-20-percent`). With 700 processes, the budget of AWS recovers \
later here than in the table that the others agree with.
- `openai-python` and `async-openai` are their rules in our loop, not the clients themselves. tower's and tower-resilience's \
layers are the real ones.
- The times of the network are those of a model. What the layers cost by themselves is on the page on \
[performance](performance.md).
";

#[cfg(test)]
mod tests {
    use super::*;

    fn committed() -> Page {
        Page::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")).expect("it is committed")
    }

    #[test]
    fn the_page_is_made_of_the_committed_rows() {
        assert_eq!(committed().markdown(), include_str!("../../../docs/evaluation.md"));
    }

    #[test]
    fn the_readme_has_three_of_them() {
        let summary = committed().summary();
        assert!(include_str!("../../../README.md").contains(&summary), "{summary}");
    }

    #[test]
    fn every_lost_row_has_its_reason() {
        let page = committed();
        assert!(page.markdown().starts_with("# Evaluation\n\n**Where ours loses.** `"));
        for (ours, best) in page.behind() {
            let reason = FAULT_REASONS.iter().any(|(scenario, _)| *scenario == ours.scenario);
            assert!(reason, "{ours:?}, {best:?}");
        }
        for &server in Kind::value_variants() {
            let reason = STORM_REASONS.iter().any(|(kind, _)| *kind == server);
            assert!(reason || page.later(server).next().is_none(), "{server:?}");
        }
    }
}
