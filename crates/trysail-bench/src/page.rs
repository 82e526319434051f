use std::{fs, path::Path};

use crate::{chart::Chart, machine, overhead::Overhead, table::Table, targets::Asked};

/// Everything that was measured, for the manual.
pub(crate) struct Page {
    pub(crate) overhead: Overhead,
    /// What the other benches say.
    pub(crate) others: Vec<Table>,
    pub(crate) asked: Asked,
}

impl Page {
    /// The tables alone.
    pub(crate) fn into_tables(self) -> Vec<Table> {
        let mut tables = self.overhead.tables();
        tables.extend(self.others);
        tables.push(self.asked.table());
        tables
    }

    /// Writes `performance.md` and its chart.
    pub(crate) fn write(&self, docs: &Path) -> Result<(), String> {
        let write = |name: &str, text: String| {
            let file = docs.join(name);
            fs::write(&file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
        };
        write("overhead.svg", Chart(&self.overhead).to_string())?;
        write("performance.md", self.markdown())
    }

    fn markdown(&self) -> String {
        let (overhead, asked) = (self.overhead.tables(), self.asked.table());
        let tables: Vec<_> = overhead.iter().chain(&self.others).chain([&asked]).map(Table::markdown).collect();
        let (missed, machine) = (self.asked.missed(), machine::describe());
        format!("{INTRODUCTION}\nMeasured on: {machine}.\n\n{missed}\n{FAIRNESS}\n{CHART}\n\n{}", tables.join("\n"))
    }
}

const INTRODUCTION: &str = "\
# Performance

What a call costs that passes through our layers, beside the same layers of others, all in one run: around a service
that does nothing, so that what is seen is the layers; then over loopback; then what it takes to read an answer, and how
all that grows with the work. Every figure and verdict on this page is written by

```sh
cargo run --release -p trysail-bench -- all --write docs
```
";

const FAIRNESS: &str = "\
## What is fair

Earlier figures of this page were better than what a program of one's own would find, ours more so than those of others. What
has changed:

- Each service is called from two places by turns, one that polls by hand and one that awaits. Called from one alone, a
  stack is compiled into that place as a whole, which no application does.
- The error is an enum that keeps what a layer says: `Elapsed`, `Open`, `Held`, or the error of another library. Before, it had
  no size, so nothing that carries it had to be moved.
- What others leave to their users is written as their users write it: a retry of tower's that was not asked for a budget
  counts, and carries nothing else. Stacks are there with a budget and without; `full` has a limit of the whole call around
  retry, breaker and limit of an attempt.
- Ours are as they come: `RetryLayer::default()`, `BreakerLayer::default()`, a timeout of 20 s. The caller of what is open reads
  when to come back.
- New beside ours: async-openai's retry layer, which fits its own requests and answers alone and so has a bare service of its
  own, reqwest's own retry, which lives in its client and is to be found under [Wire](#wire) alone, and the throttle.
";

const CHART: &str =
    "![Instructions that each case adds to a call, ready and pending, ours and those of others](overhead.svg)";
