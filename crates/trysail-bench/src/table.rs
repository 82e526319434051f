use std::fmt::{self, Write};

/// Figures, a row for each thing that was measured: printed as aligned text, written as Markdown.
pub(crate) struct Table {
    pub(crate) title: String,
    /// How the figures were made, and what they count.
    pub(crate) about: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(title: &str, about: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Self { title: title.to_owned(), about: about.to_owned(), columns, rows: Vec::new() }
    }

    /// The table under a heading, for a page.
    pub(crate) fn markdown(&self) -> String {
        let mut page = format!("## {}\n\n{}\n\n", self.title, self.about);
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            writeln!(page, "| {} |", cells.collect::<Vec<_>>().join(" | ")).expect("a string grows");
        };
        line(&mut self.columns.iter().map(String::as_str));
        line(&mut self.columns.iter().enumerate().map(|(at, _)| if at == 0 { "---" } else { "---:" }));
        for row in &self.rows {
            line(&mut row.iter().map(String::as_str));
        }
        page
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.title, self.about)?;
        let cells = |at: usize| std::iter::once(&self.columns).chain(&self.rows).filter_map(move |row| row.get(at));
        let widths: Vec<_> =
            (0..self.columns.len()).map(|at| cells(at).map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
        for row in std::iter::once(&self.columns).chain(&self.rows) {
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match at {
                    0 => write!(f, "{cell:<width$}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Rounded to so many decimals, of which those that are zero are left out.
pub(crate) fn short(figure: f64, decimals: i32) -> String {
    let scale = 10_f64.powi(decimals);
    ((figure * scale).round() / scale).to_string()
}
