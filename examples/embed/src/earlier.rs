//! The rows of an earlier run.

use std::{
    borrow::Cow,
    fmt::Display,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{
    claim,
    source::{Place, Position},
    space::Space,
};

/// Whole rows in their order, one at a time.
///
/// What follows the last line break was cut off when the run ended, and is no row.
pub(crate) struct Earlier {
    path: PathBuf,
    inputs: Inputs,
    reader: BufReader<File>,
    bytes: Vec<u8>,
    row: Option<Row>,
    /// The model that has answered last, by the rows up to this one.
    model: Option<String>,
    space: Space,
    /// The first row that holds a vector.
    first: u64,
    count: u64,
    /// How many bytes the rows before this one take.
    passed: u64,
}

/// Which line a row is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) position: Position,
    /// Whether it holds a vector that is of use.
    pub(crate) embedded: bool,
    /// Whether it names the model.
    names_model: bool,
}

/// What the inputs are called; nothing if there is only one, since its rows do not name it.
#[derive(Clone, Debug)]
pub(crate) struct Inputs(pub(crate) Vec<String>);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    file: Option<Cow<'a, str>>,
    line: u64,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    embedding: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    error: Option<&'a RawValue>,
}

impl Earlier {
    /// The rows in the file at `path`, which were made of `inputs`; nobody writes there as long as they are read.
    pub(crate) fn open(path: &Path, inputs: &Inputs) -> io::Result<Self> {
        let file = File::open(path)?;
        claim::share(&file)?;
        let mut this = Self {
            path: path.to_owned(),
            inputs: inputs.clone(),
            reader: BufReader::new(file),
            bytes: Vec::new(),
            row: None,
            model: None,
            space: Space::default(),
            first: 0,
            count: 0,
            passed: 0,
        };
        this.advance()?;
        Ok(this)
    }

    /// The row it stands at; `None` behind the last.
    pub(crate) const fn row(&self) -> Option<Row> {
        self.row
    }

    /// The model that has answered last, by the rows up to this one.
    pub(crate) fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// What all vectors have in common; known behind the last row.
    pub(crate) const fn space(&self) -> &Space {
        &self.space
    }

    /// Adds the row it stands at to `rows`, as it was written but for the name of its model, which is there if the rows
    /// before have `noted` another.
    pub(crate) fn copy(&self, rows: &mut Vec<u8>, noted: &mut Option<String>) -> io::Result<()> {
        let Some(row) = self.row else { return Ok(()) };
        let is_news = row.embedded && self.model.is_some() && self.model != *noted;
        if is_news == row.names_model {
            rows.extend_from_slice(&self.bytes);
        } else {
            let model = self.model.as_deref().filter(|_| is_news).map(Cow::from);
            serde_json::to_writer(&mut *rows, &Written { model, ..serde_json::from_slice(&self.bytes)? })?;
            rows.push(b'\n');
        }
        if is_news {
            noted.clone_from(&self.model);
        }
        Ok(())
    }

    /// How many bytes whole rows take; known behind the last.
    pub(crate) const fn passed(&self) -> u64 {
        self.passed
    }

    /// Goes on to the next row.
    pub(crate) fn advance(&mut self) -> io::Result<()> {
        let before = self.row.take();
        self.passed += self.bytes.len() as u64;
        self.bytes.clear();
        self.count += 1;
        self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut self.bytes)?;
        if !self.bytes.ends_with(b"\n") {
            if !begins_a_row(&self.bytes) {
                return Err(self.wrong("is no row of this program"));
            }
            self.bytes.clear();
            return Ok(());
        }
        let row = self.parse(before.map_or(0, |before| before.position.input))?;
        if before.is_some_and(|before| before.position >= row.position) {
            return Err(self.wrong("is out of order"));
        }
        self.row = Some(row);
        Ok(())
    }

    /// Whether `place` has its vector already; asked for every line, in their order.
    pub(crate) fn has(&mut self, place: &Place) -> io::Result<bool> {
        match self.row {
            Some(row) if row.position < place.position() => Err(self.stranger()),
            Some(row) if row.position == place.position() => {
                self.advance()?;
                Ok(row.embedded)
            }
            _ => Ok(false),
        }
    }

    /// Makes sure that all rows were asked for, now that there are no more lines.
    pub(crate) fn end(&self) -> io::Result<()> {
        if self.row.is_some() { Err(self.stranger()) } else { Ok(()) }
    }

    /// The row that was read, which is of the input `near` most likely, or else of a later one.
    fn parse(&mut self, near: usize) -> io::Result<Row> {
        let written: Written<'_> =
            serde_json::from_slice(&self.bytes).map_err(|_| self.wrong("is no row of this program"))?;
        let input = match (&written.file, self.inputs.0.as_slice()) {
            (None, []) => 0,
            (Some(file), []) => return Err(self.wrong(format_args!("is of one of several inputs, {file}"))),
            (None, _) => return Err(self.wrong("names no file, where several are given")),
            (Some(file), inputs) => (near..inputs.len())
                .chain(0..near)
                .find(|at| inputs[*at] == *file)
                .ok_or_else(|| self.wrong(format_args!("is of {file}, which is not among the inputs")))?,
        };
        let vector = written.embedding.filter(|vector| vector.get() != "null");
        if vector.is_some() && written.error.is_some() || written.embedding.is_none() && written.error.is_none() {
            return Err(self.wrong("is no row of this program"));
        }
        let position = Position { input, line: written.line };
        let dimensions = vector.and_then(dimensions);
        let row = Row { position, embedded: dimensions.is_some(), names_model: written.model.is_some() };
        self.model = written.model.map(Cow::into_owned).or_else(|| self.model.take());
        if let Some(dimensions) = dimensions {
            match self.space.dimensions() {
                None => self.first = self.count,
                Some(own) if own == dimensions => {}
                Some(own) => {
                    let first = self.first;
                    return Err(self.wrong(format_args!(
                        "holds a vector of {dimensions} numbers, but row {first} one of {own}, so they are not by one \
                         model; delete the rows of one of them"
                    )));
                }
            }
            self.space.keep(dimensions, self.model.as_deref());
        }
        Ok(row)
    }

    /// A row of a line that the input has not.
    fn stranger(&self) -> io::Error {
        self.wrong("is of a line that the input does not have, or that is blank; --resume wants the input as it was")
    }

    fn wrong(&self, problem: impl Display) -> io::Error {
        let (path, count) = (self.path.display(), self.count);
        io::Error::new(io::ErrorKind::InvalidData, format!("row {count} of {path} {problem}"))
    }
}

/// How many numbers a vector has, if it is of any use.
fn dimensions(vector: &RawValue) -> Option<usize> {
    let vector: Vec<f32> = serde_json::from_str(vector.get()).ok()?;
    (vector.iter().all(|value| value.is_finite()) && vector.iter().any(|value| *value != 0.0)).then_some(vector.len())
}

/// What is there, be it null.
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(field).map(Some)
}

/// Whether a row may begin like this.
fn begins_a_row(bytes: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| {
        let both = bytes.len().min(beginning.len());
        bytes[..both] == beginning[..both]
    })
}

const BEGINNINGS: [&[u8]; 2] = [b"{\"line\":", b"{\"file\":"];
/// More than any vector takes.
const LONGEST: u64 = 64 << 20;
