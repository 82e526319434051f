//! One JSON object a line.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    claim,
    earlier::Earlier,
    finished::{Failed, Finished},
    source::Position,
};

/// Where rows go.
pub(crate) struct Rows {
    out: Box<dyn Write>,
    /// Written at once, so that no row is left in pieces.
    buffer: Vec<u8>,
    merge: Option<Merge>,
    /// How many vectors of an earlier run were written again.
    kept: u64,
}

/// A file that is made of earlier rows and new ones, and takes the place of the earlier in the end.
struct Merge {
    earlier: Earlier,
    file: File,
    path: PathBuf,
    place: PathBuf,
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
            Some(path) => Box::new(claim::create(path)?),
            None => Box::new(io::stdout()),
        };
        Ok(Self { out, buffer: Vec::new(), merge: None, kept: 0 })
    }

    /// To `file` at `path`, among the `earlier` ones; [finishing](Self::finish) it moves it to `place`.
    pub(crate) fn among(earlier: Earlier, file: File, path: PathBuf, place: PathBuf) -> io::Result<Self> {
        let out = Box::new(file.try_clone()?);
        Ok(Self { out, buffer: Vec::new(), merge: Some(Merge { earlier, file, path, place }), kept: 0 })
    }

    pub(crate) fn write(&mut self, finished: &Finished) -> io::Result<()> {
        self.buffer.clear();
        for (place, line) in finished.lines() {
            let outcome = match line {
                Ok(vector) => Outcome::Embedding(vector),
                Err(Failed { class, message, attempts }) => Outcome::Error { class, message, attempts },
            };
            self.keep_before(Some(place.position()))?;
            let row = Row { file: place.file.as_deref(), line: place.line, outcome };
            serde_json::to_writer(&mut self.buffer, &row)?;
            self.buffer.push(b'\n');
        }
        self.out.write_all(&self.buffer)?;
        self.out.flush()
    }

    /// Writes what is left of the earlier rows, and puts the file where it belongs.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.keep_before(None)?;
        self.out.write_all(&self.buffer)?;
        self.out.flush()?;
        let Some(Merge { file, path, place, .. }) = &self.merge else { return Ok(()) };
        // Or else the name could outlive a power failure, and the rows not.
        file.sync_all()?;
        fs::rename(path, place)
    }

    /// How many vectors of an earlier run were written again.
    pub(crate) const fn kept(&self) -> u64 {
        self.kept
    }

    /// Takes over the earlier rows before `position`, or all of them; one that is just there is replaced.
    fn keep_before(&mut self, position: Option<Position>) -> io::Result<()> {
        let Some(Merge { earlier, .. }) = &mut self.merge else { return Ok(()) };
        while let Some(row) = earlier.row() {
            if position.is_some_and(|position| row.position > position) {
                break;
            }
            if position != Some(row.position) {
                self.kept += u64::from(row.embedded);
                self.buffer.extend_from_slice(earlier.bytes());
            }
            earlier.advance()?;
            if self.buffer.len() >= MOST_BYTES {
                self.out.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        Ok(())
    }
}

/// Earlier rows are copied in pieces of this size.
const MOST_BYTES: usize = 256 << 10;
