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
    out: Out,
    /// Written at once, so that no row is left in pieces.
    buffer: Vec<u8>,
    merge: Option<Merge>,
    /// How many vectors of an earlier run were written again.
    kept: u64,
}

struct Out {
    writer: Option<Box<dyn Write>>,
    /// A pipe or a device, opened for the first row: its reader may have to open the input first.
    unopened: PathBuf,
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
    pub(crate) fn stdout() -> Self {
        Self::over(Out::open(io::stdout()), None)
    }

    /// To a new file, or to the pipe or device that is there.
    pub(crate) fn to(path: &Path) -> io::Result<Self> {
        let out = match fs::metadata(path) {
            Ok(about) if about.is_dir() => return Err(io::Error::other("it is a directory")),
            Ok(about) if !about.is_file() => Out { writer: None, unopened: path.to_owned() },
            _ => Out::open(claim::create(path)?),
        };
        Ok(Self::over(out, None))
    }

    /// To `file` at `path`, among the `earlier` ones; [finishing](Self::finish) it moves it to `place`.
    pub(crate) fn among(earlier: Earlier, file: File, path: PathBuf, place: PathBuf) -> io::Result<Self> {
        let out = Out::open(file.try_clone()?);
        Ok(Self::over(out, Some(Merge { earlier, file, path, place })))
    }

    const fn over(out: Out, merge: Option<Merge>) -> Self {
        Self { out, buffer: Vec::new(), merge, kept: 0 }
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
        self.out.write(&self.buffer)
    }

    /// Writes what is left of the earlier rows, and puts the file where it belongs.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.keep_before(None)?;
        self.out.write(&self.buffer)?;
        let Some(Merge { file, path, place, .. }) = &self.merge else { return Ok(()) };
        // Or else the name could outlive a power failure, and the rows not.
        file.sync_all()?;
        fs::rename(path, place)
    }

    /// Whether it is a pipe that had no row yet.
    pub(crate) const fn is_unopened(&self) -> bool {
        self.out.writer.is_none()
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
                self.out.write(&self.buffer)?;
                self.buffer.clear();
            }
        }
        Ok(())
    }
}

impl Out {
    fn open(writer: impl Write + 'static) -> Self {
        Self { writer: Some(Box::new(writer)), unopened: PathBuf::new() }
    }

    fn write(&mut self, rows: &[u8]) -> io::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(Box::new(File::options().write(true).open(&self.unopened)?)),
        };
        writer.write_all(rows)?;
        writer.flush()
    }
}

/// Earlier rows are copied in pieces of this size.
const MOST_BYTES: usize = 256 << 10;
