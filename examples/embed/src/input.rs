//! What is read, one input at a time.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use same_file::Handle;

use crate::{
    foreign::Foreign,
    text::{HEAD, Text},
};

/// A file, a pipe or standard input, known to be there.
///
/// It is opened when its turn comes: a pipe can be opened only once, and files at once only so many.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// What it is called in rows.
    pub(crate) name: String,
    /// `None` for standard input.
    path: Option<PathBuf>,
    /// How much there is to read, if that is known.
    pub(crate) size: Option<u64>,
}

impl Input {
    /// Makes sure that there is something to read at `path`, as far as that can be known before it is read.
    pub(crate) fn at(path: &Path) -> Result<Self, String> {
        let name = path.to_string_lossy().into_owned();
        if path == Path::new(STDIN) {
            return Ok(Self { name, path: None, size: None });
        }
        let mut this = Self { name, path: Some(path.to_owned()), size: None };
        let about = fs::metadata(path).map_err(|error| this.unreadable(error))?;
        if about.is_dir() {
            return Err(this.unreadable("it is a directory"));
        }
        if about.is_file() {
            let mut head = Vec::new();
            let file = File::open(path).map_err(|error| this.unreadable(error))?;
            file.take(HEAD as u64).read_to_end(&mut head).map_err(|error| this.unreadable(error))?;
            if let Some(foreign) = Foreign::of(&head) {
                return Err(this.foreign(foreign));
            }
            this.size = Some(about.len());
        }
        Ok(this)
    }

    /// Opens it, and waits for the first that there is to read; a line may have `longest` bytes.
    pub(crate) fn open(&self, longest: u64) -> io::Result<Text> {
        let text = match &self.path {
            None => Text::of(io::stdin(), longest),
            Some(path) => File::open(path).map_err(|error| self.gone(error)).and_then(|file| Text::of(file, longest)),
        };
        let text = text.map_err(|error| io::Error::new(error.kind(), self.unreadable(&error)))?;
        text.map_err(|foreign| io::Error::new(io::ErrorKind::InvalidData, self.foreign(foreign)))
    }

    /// Whether it is the file `out`, by whatever name.
    pub(crate) fn is(&self, out: &Handle) -> bool {
        let own = match &self.path {
            None => Handle::stdin(),
            Some(path) if self.size.is_some() => Handle::from_path(path),
            Some(_) => return false,
        };
        own.is_ok_and(|own| own == *out)
    }

    /// Whether it is the pipe or device at `out`.
    pub(crate) fn is_at(&self, out: &Path) -> bool {
        let path = self.path.as_ref().filter(|_| self.size.is_none());
        path.is_some_and(|path| path.canonicalize().ok() == Some(out.to_owned()))
    }

    pub(crate) const fn is_stdin(&self) -> bool {
        self.path.is_none()
    }

    pub(crate) fn unreadable(&self, problem: impl std::fmt::Display) -> String {
        let name = if self.path.is_some() { &self.name } else { "standard input" };
        format!("cannot read {name}: {problem}")
    }

    fn foreign(&self, foreign: Foreign) -> String {
        self.unreadable(foreign.reason(self.path.as_ref().map(|_| self.name.as_str())))
    }

    fn gone(&self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(error.kind(), "it was there at the start, and is gone"),
            _ => error,
        }
    }
}

const STDIN: &str = "-";
