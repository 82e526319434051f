//! One JSON object a line.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use serde::Serialize;

use crate::finished::{Failed, Finished};

/// Where rows go.
pub(crate) struct Rows {
    out: Box<dyn Write>,
    /// Written at once, so that no row is left in pieces.
    buffer: Vec<u8>,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    line: u64,
    #[serde(flatten)]
    outcome: Outcome<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome<'a> {
    Embedding(&'a [f32]),
    Error { class: &'a str, message: &'a str, attempts: u32 },
}

impl Rows {
    /// To standard output, or to a new file.
    pub(crate) fn to(file: Option<&Path>) -> io::Result<Self> {
        let out: Box<dyn Write> = match file {
            Some(path) => Box::new(File::create(path)?),
            None => Box::new(io::stdout()),
        };
        Ok(Self { out, buffer: Vec::new() })
    }

    pub(crate) fn write(&mut self, finished: &Finished) -> io::Result<()> {
        self.buffer.clear();
        for (place, line) in finished.lines() {
            let outcome = match line {
                Ok(vector) => Outcome::Embedding(vector),
                Err(Failed { class, message, attempts }) => Outcome::Error { class, message, attempts },
            };
            let row = Row { file: place.file.as_deref(), line: place.line, outcome };
            serde_json::to_writer(&mut self.buffer, &row)?;
            self.buffer.push(b'\n');
        }
        self.out.write_all(&self.buffer)?;
        self.out.flush()
    }
}
