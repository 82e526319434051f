//! Reads lines on a thread of its own, since a terminal or a pipe may keep it waiting for ever.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use same_file::Handle;
use tokio::sync::mpsc;

use crate::earlier::{Earlier, Inputs};

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
    /// Which of the inputs that is.
    pub(crate) input: usize,
    /// Counted from 1, blank lines included.
    pub(crate) line: u64,
}

/// Where a line stands, in the order of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) input: usize,
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

/// The lines to be embedded, in order.
pub(crate) struct Lines {
    files: VecDeque<LinesOf>,
    earlier: Option<Earlier>,
}

struct Input {
    name: String,
    reader: Box<dyn Read + Send>,
    /// How much there is to read, if that is known.
    size: Option<u64>,
    /// Which file it is, by whatever name.
    identity: Option<Handle>,
}

impl Source {
    /// Opens `files`, or standard input if there are none; else it says which one cannot be read, and why.
    pub(crate) fn open(files: &[PathBuf]) -> Result<Self, String> {
        let stdin = [PathBuf::from(STDIN)];
        let files = if files.is_empty() { &stdin } else { files };
        let inputs = files.iter().map(|path| Input::open(path)).collect::<Result<_, _>>()?;
        Ok(Self { inputs })
    }

    /// Whether `out` is one of the inputs, be it by another name or as standard input.
    pub(crate) fn reads(&self, out: &Path) -> bool {
        Handle::from_path(out).is_ok_and(|out| self.inputs.iter().any(|input| input.identity.as_ref() == Some(&out)))
    }

    /// How many bytes there are to read, if that is known.
    pub(crate) fn size(&self) -> Option<u64> {
        self.inputs.iter().map(|input| input.size).sum()
    }

    /// What the inputs are called in rows.
    pub(crate) fn names(&self) -> Inputs {
        match self.inputs.as_slice() {
            [_] => Inputs(Vec::new()),
            several => Inputs(several.iter().map(|input| input.name.clone()).collect()),
        }
    }

    /// All lines but those that have their row among the `earlier` ones.
    pub(crate) fn lines(self, earlier: Option<Earlier>) -> Lines {
        let several = self.inputs.len() > 1;
        let files = self.inputs.into_iter().enumerate().map(|(input, Input { name, reader, .. })| {
            let file = several.then(|| Arc::from(name.as_str()));
            LinesOf { name, file, input, reader: BufReader::new(reader), line: 0 }
        });
        Lines { files: files.collect(), earlier }
    }
}

impl Lines {
    /// Starts to read; ends early when nobody listens any more.
    pub(crate) fn start(self) -> mpsc::Receiver<io::Result<Line>> {
        let (lines, receiver) = mpsc::channel(AHEAD);
        // Not a task of the runtime, which would wait for it at the end.
        thread::spawn(move || {
            for line in self {
                let failed = line.is_err();
                if lines.blocking_send(line).is_err() || failed {
                    return;
                }
            }
        });
        receiver
    }

    fn next_missing(&mut self) -> io::Result<Option<Line>> {
        let mut passed = 0;
        while let Some(file) = self.files.front_mut() {
            let Some(line) = file.next().map_err(|error| file.name(&error))? else {
                self.files.pop_front();
                continue;
            };
            let read = line.read + passed;
            let earlier = self.earlier.as_mut();
            if !earlier.map_or(Ok(false), |earlier| earlier.has(&line.place))? {
                return Ok(Some(Line { read, ..line }));
            }
            passed = read;
        }
        self.earlier.as_ref().map_or(Ok(None), |earlier| earlier.end().map(|()| None))
    }
}

impl Iterator for Lines {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        self.next_missing().transpose()
    }
}

impl Input {
    fn open(path: &Path) -> Result<Self, String> {
        let name = path.to_string_lossy().into_owned();
        if path == Path::new(STDIN) {
            return Ok(Self { name, reader: Box::new(io::stdin()), size: None, identity: Handle::stdin().ok() });
        }
        let problem = |error: &dyn std::fmt::Display| format!("cannot read {name}: {error}");
        let file = File::open(path).map_err(|error| problem(&error))?;
        let about = file.metadata().map_err(|error| problem(&error))?;
        if about.is_dir() {
            return Err(problem(&"it is a directory"));
        }
        let size = about.is_file().then_some(about.len());
        Ok(Self { name, reader: Box::new(file), size, identity: Handle::from_path(path).ok() })
    }
}

struct LinesOf {
    name: String,
    file: Option<Arc<str>>,
    input: usize,
    reader: BufReader<Box<dyn Read + Send>>,
    line: u64,
}

impl LinesOf {
    /// The next line that is not blank.
    fn next(&mut self) -> io::Result<Option<Line>> {
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
                if self.line == 1 && text.starts_with(BYTE_ORDER_MARK) {
                    text.drain(..BYTE_ORDER_MARK.len_utf8());
                }
                text
            });
            if text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
                continue;
            }
            let place = Place { file: self.file.clone(), input: self.input, line: self.line };
            return Ok(Some(Line { place, text, read }));
        }
    }

    fn name(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot read {}: {error}", self.name))
    }
}

impl Place {
    pub(crate) const fn position(&self) -> Position {
        Position { input: self.input, line: self.line }
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
const BYTE_ORDER_MARK: char = '\u{feff}';
