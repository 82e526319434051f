use std::fmt::{self, Write};

use serde::Serialize;

/// Rows of figures: printed as aligned text or as JSON, written as Markdown.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    /// How the figures were made, and what they count.
    about: String,
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
    json: Vec<String>,
}

/// What is known of one thing that was tried.
pub(crate) trait Row: Serialize {
    const COLUMNS: &'static [&'static str];

    fn cells(&self) -> Vec<String>;
}

impl Table {
    pub(crate) fn new<'a, R: Row + 'a>(title: &str, about: &str, rows: impl IntoIterator<Item = &'a R>) -> Self {
        let (cells, json) = rows
            .into_iter()
            .map(|row| (row.cells(), serde_json::to_string(row).expect("plain data is valid JSON")))
            .unzip();
        Self { title: title.to_owned(), about: about.to_owned(), columns: R::COLUMNS, rows: cells, json }
    }

    pub(crate) fn json(&self) -> impl Iterator<Item = &str> {
        self.json.iter().map(String::as_str)
    }

    /// The table under a heading, for a page.
    pub(crate) fn markdown(&self) -> String {
        let mut page = format!("## {}\n\n{}\n\n", self.title, self.about);
        let mut line = |cells: &[&str]| writeln!(page, "| {} |", cells.join(" | ")).expect("a string grows");
        line(self.columns);
        line(&(0..self.columns.len()).map(|at| if at == 0 { "---" } else { "---:" }).collect::<Vec<_>>());
        self.rows.iter().for_each(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
        page
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n", self.title, self.about)?;
        let columns: Vec<_> = self.columns.iter().map(|&column| column.to_owned()).collect();
        let lines = || std::iter::once(&columns).chain(&self.rows);
        let widths: Vec<_> = (0..columns.len())
            .map(|at| lines().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        for line in lines() {
            for (at, (cell, width)) in line.iter().zip(&widths).enumerate() {
                if at == 0 { write!(f, "{cell:<width$}")? } else { write!(f, "  {cell:>width$}")? }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A number that may be missing.
pub(crate) fn or_dash(figure: Option<impl ToString>) -> String {
    figure.map_or_else(|| "—".to_owned(), |figure| figure.to_string())
}
