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
    finished::{Failed, Finished, Vector},
    source::Position,
    space::Space,
};

/// Where rows go.
pub(crate) struct Rows {
    out: Out,
    /// Written at once, so that no row is left in pieces.
    buffer: Vec<u8>,
    merge: Option<Merge>,
    /// What their vectors have in common.
    space: Space,
    /// The model that was named last.
    noted: Option<String>,
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
    /// Who has answered, where it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
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

    fn over(out: Out, merge: Option<Merge>) -> Self {
        Self { out, buffer: Vec::new(), merge, space: Space::default(), noted: None, kept: 0 }
    }

    /// With vectors of this `space` only.
    pub(crate) fn within(self, space: Space) -> Self {
        Self { space, ..self }
    }

    /// After rows that have named `model` last.
    pub(crate) fn after(self, model: Option<String>) -> Self {
        Self { noted: model, ..self }
    }

    /// Writes what became of a batch. Vectors that cannot stand beside those before become errors, in `finished` too.
    pub(crate) fn write(&mut self, finished: &mut Finished) -> io::Result<()> {
        finished.hold_to(&mut self.space);
        self.buffer.clear();
        for (place, line) in finished.lines() {
            self.keep_before(Some(place.position()))?;
            let (model, outcome) = match line {
                Ok(Vector { numbers, model }) => (model, Outcome::Embedding(numbers)),
                Err(Failed { class, message, attempts }) => (None, Outcome::Error { class, message, attempts }),
            };
            let model = model.filter(|model| Some(*model) != self.noted.as_deref());
            if let Some(model) = model {
                self.noted = Some(model.to_owned());
            }
            let row = Row { file: place.file.as_deref(), line: place.line, model, outcome };
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
                earlier.copy(&mut self.buffer, &mut self.noted)?;
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
