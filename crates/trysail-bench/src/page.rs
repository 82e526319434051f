use std::{fs, path::Path};

use crate::{chart::Chart, machine, overhead::Overhead, table::Table, targets, wire::Measured};

/// Everything that was measured, for the manual.
pub(crate) struct Page {
    overhead: Overhead,
    tables: Vec<Table>,
    targets: Table,
    /// Why some targets are missed.
    reasons: Vec<&'static str>,
}

impl Page {
    /// A page on the overhead, with the tables of the other benches below.
    pub(crate) fn new(
        overhead: Overhead,
        wire: &[Measured],
        others: impl Iterator<Item = Table>,
    ) -> Result<Self, String> {
        let (targets, reasons) = targets::judge(&overhead, wire)?;
        let mut tables = overhead.tables();
        tables.extend(others);
        Ok(Self { overhead, tables, targets, reasons })
    }

    /// The tables alone.
    pub(crate) fn into_tables(mut self) -> Vec<Table> {
        self.tables.push(self.targets);
        self.tables
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
        let tables: Vec<_> = self.tables.iter().chain([&self.targets]).map(Table::markdown).collect();
        let reasons: String = self.reasons.iter().map(|reason| format!("\n{reason}\n")).collect();
        format!("{INTRODUCTION}\nMeasured on: {}.\n\n{CHART}\n\n{}{reasons}", machine::describe(), tables.join("\n"))
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

const CHART: &str =
    "![Instructions that each case adds to a call, ready and pending, ours and those of others](overhead.svg)";
