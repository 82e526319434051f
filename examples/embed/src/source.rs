//! Reads lines on a thread of its own, since a terminal or a pipe may keep it waiting for ever.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use tokio::sync::mpsc;

/// A line that is not blank.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) place: Place,
    pub(crate) text: Result<String, Flaw>,
    /// How many bytes it took to read, with the blank lines before it.
    pub(crate) read: u64,
}

/// Where a line stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The file, where there are several.
    pub(crate) file: Option<Arc<str>>,
    /// Counted from 1, blank lines included.
    pub(crate) line: u64,
}

/// Why a line cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    NotUtf8,
    TooLong,
}

/// What to read, opened already.
pub(crate) struct Source {
    inputs: Vec<Input>,
}

struct Input {
    name: String,
    reader: Box<dyn Read + Send>,
    /// How much there is to read, if that is known.
    size: Option<u64>,
}

impl Source {
    /// Opens `files`, or standard input if there are none; else it says which one cannot be read, and why.
    pub(crate) fn open(files: &[PathBuf]) -> Result<Self, String> {
        let stdin = [PathBuf::from(STDIN)];
        let files = if files.is_empty() { &stdin } else { files };
        let inputs = files.iter().map(|path| Input::open(path)).collect::<Result<_, _>>()?;
        Ok(Self { inputs })
    }

    /// How many bytes there are to read, if that is known.
    pub(crate) fn size(&self) -> Option<u64> {
        self.inputs.iter().map(|input| input.size).sum()
    }

    /// Starts to read; ends early when nobody listens any more.
    pub(crate) fn lines(self) -> mpsc::Receiver<io::Result<Line>> {
        let (lines, receiver) = mpsc::channel(AHEAD);
        // Not a task of the runtime, which would wait for it at the end.
        thread::spawn(move || {
            let several = self.inputs.len() > 1;
            for input in self.inputs {
                let file = several.then(|| Arc::from(input.name.as_str()));
                let name =
                    |error: io::Error| io::Error::new(error.kind(), format!("cannot read {}: {error}", input.name));
                let mut lines_of = Lines { reader: BufReader::new(input.reader), line: 0 };
                while let Some(line) = lines_of.next(file.as_ref()).transpose() {
                    if lines.blocking_send(line.map_err(name)).is_err() {
                        return;
                    }
                }
            }
        });
        receiver
    }
}

impl Input {
    fn open(path: &Path) -> Result<Self, String> {
        let name = path.to_string_lossy().into_owned();
        if path == Path::new(STDIN) {
            return Ok(Self { name, reader: Box::new(io::stdin()), size: None });
        }
        let problem = |error: &dyn std::fmt::Display| format!("cannot read {name}: {error}");
        let file = File::open(path).map_err(|error| problem(&error))?;
        let about = file.metadata().map_err(|error| problem(&error))?;
        if about.is_dir() {
            return Err(problem(&"it is a directory"));
        }
        Ok(Self { name, reader: Box::new(file), size: about.is_file().then_some(about.len()) })
    }
}

struct Lines<R> {
    reader: BufReader<R>,
    line: u64,
}

impl<R: Read> Lines<R> {
    /// The next line that is not blank, for `file`.
    fn next(&mut self, file: Option<&Arc<str>>) -> io::Result<Option<Line>> {
        let mut read = 0;
        loop {
            let mut bytes = Vec::new();
            read += self.reader.by_ref().take(LONGEST + 1).read_until(b'\n', &mut bytes)? as u64;
            if bytes.is_empty() {
                return Ok(None);
            }
            self.line += 1;
            let text = if bytes.len() as u64 > LONGEST && !bytes.ends_with(b"\n") {
                read += self.reader.skip_until(b'\n')? as u64;
                Err(Flaw::TooLong)
            } else {
                String::from_utf8(bytes).map_err(|_| Flaw::NotUtf8)
            };
            let text = text.map(|mut text| {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
                text
            });
            if text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
                continue;
            }
            let place = Place { file: file.cloned(), line: self.line };
            return Ok(Some(Line { place, text, read }));
        }
    }
}

impl Flaw {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotUtf8 => "the line is not UTF-8 text, so it was not sent; convert the file, with iconv say",
            Self::TooLong => "the line is longer than 1 MiB, so it was not sent; split it",
        }
    }
}

const STDIN: &str = "-";
const LONGEST: u64 = 1 << 20;
/// How many lines wait to be put into batches.
const AHEAD: usize = 64;
