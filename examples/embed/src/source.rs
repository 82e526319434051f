//! Reads lines on a thread of its own, since a terminal or a pipe may keep it waiting for ever.

use std::{
    fs, io, iter,
    path::{Path, PathBuf},
    sync::Arc,
    thread, vec,
};

use same_file::Handle;
use tokio::sync::mpsc;

use crate::{
    earlier::{Earlier, Inputs},
    input::Input,
    text::{Numbered, Text},
};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    NotUtf8,
    /// In a sentence that names the limit.
    TooLong(String),
}

/// What to read, known to be there.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    inputs: Vec<Input>,
    /// How many bytes a line may have.
    longest: u64,
}

/// The lines to be embedded, in order.
pub(crate) struct Lines {
    inputs: iter::Enumerate<vec::IntoIter<Input>>,
    several: bool,
    longest: u64,
    reading: Option<Reading>,
    earlier: Option<Earlier>,
}

/// The input that is read now.
struct Reading {
    input: Input,
    text: Text,
    /// What the places of its lines have in common.
    place: Place,
}

impl Source {
    /// Finds `files`, or standard input if there are none; else it says which one cannot be read, and why. A line may
    /// have `longest` bytes.
    pub(crate) fn of(files: &[PathBuf], longest: u64) -> Result<Self, String> {
        let stdin = [PathBuf::from("-")];
        let files = if files.is_empty() { &stdin } else { files };
        let inputs = files.iter().map(|path| Input::at(path)).collect::<Result<Vec<_>, _>>()?;
        match inputs.iter().filter(|input| input.is_stdin()).nth(1) {
            Some(stdin) => Err(stdin.unreadable("it is given twice, and can be read only once")),
            None => Ok(Self { inputs, longest }),
        }
    }

    /// Whether `out`, or else standard output, is one of the inputs, be it by another name or as standard input.
    pub(crate) fn reads(&self, out: Option<&Path>) -> bool {
        let is_file = |out: &Path| fs::metadata(out).is_ok_and(|about| about.is_file());
        let file = match out {
            None => Handle::stdout().ok().filter(|out| out.as_file().metadata().is_ok_and(|about| about.is_file())),
            Some(out) if is_file(out) => Handle::from_path(out).ok(),
            // Not opened, since that would let go whoever waits at the other end of a pipe.
            Some(out) => {
                let out = out.canonicalize();
                return out.is_ok_and(|out| self.inputs.iter().any(|input| input.is_at(&out)));
            }
        };
        file.is_some_and(|file| self.inputs.iter().any(|input| input.is(&file)))
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
        let Self { inputs, longest } = self;
        Lines { several: inputs.len() > 1, inputs: inputs.into_iter().enumerate(), longest, reading: None, earlier }
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

    /// The earlier rows, at the one that was not asked for yet.
    pub(crate) const fn earlier(&self) -> Option<&Earlier> {
        self.earlier.as_ref()
    }

    fn next_missing(&mut self) -> io::Result<Option<Line>> {
        let mut passed = 0;
        loop {
            let Some(reading) = &mut self.reading else {
                let Some((at, input)) = self.inputs.next() else { break };
                let file = self.several.then(|| Arc::from(input.name.as_str()));
                let text = input.open(self.longest)?;
                self.reading = Some(Reading { input, text, place: Place { file, input: at, line: 0 } });
                continue;
            };
            let Some(Numbered { line, text, read }) = reading.next()? else {
                self.reading = None;
                continue;
            };
            let place = Place { line, ..reading.place.clone() };
            passed += read;
            let earlier = self.earlier.as_mut();
            if !earlier.map_or(Ok(false), |earlier| earlier.has(&place))? {
                return Ok(Some(Line { place, text, read: passed }));
            }
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

impl Reading {
    fn next(&mut self) -> io::Result<Option<Numbered>> {
        self.text.next().map_err(|error| io::Error::new(error.kind(), self.input.unreadable(&error)))
    }
}

impl Place {
    pub(crate) const fn position(&self) -> Position {
        Position { input: self.input, line: self.line }
    }
}

impl Flaw {
    /// Of a line of more than `longest` bytes.
    pub(crate) fn too_long(longest: u64) -> Self {
        Self::TooLong(format!("the line is longer than {longest} bytes (--max-line), so it was not sent; split it"))
    }

    pub(crate) const fn as_str(&self) -> &str {
        match self {
            Self::NotUtf8 => "the line is not UTF-8 text, so it was not sent; convert the file, with iconv say",
            Self::TooLong(sentence) => sentence.as_str(),
        }
    }
}

/// How many lines wait to be put into batches.
const AHEAD: usize = 64;
