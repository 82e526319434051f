//! What every batch and every attempt came to, for a file.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use trysail::record::{Exchange, Recorder};

/// A file of recorded lines.
#[derive(Clone, Debug)]
pub(crate) struct Record(Arc<Mutex<io::Result<BufWriter<File>>>>);

impl Record {
    pub(crate) fn to(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Ok(BufWriter::new(File::create(path)?))))))
    }

    /// Writes what is said of calls to `model`.
    pub(crate) fn recorder(&self, model: &str) -> Recorder<impl Fn(&Exchange) + Clone + Send + Sync + 'static> {
        let kept = Arc::clone(&self.0);
        Recorder::new(model, move |exchange: &Exchange| {
            let mut file = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let written = file.as_mut().map(|file| writeln!(file, "{exchange}"));
            // The first error is told in the end.
            if let Ok(Err(error)) = written {
                *file = Err(error);
            }
        })
    }

    /// All lines are in the file, or this says why not.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *file {
            Ok(file) => file.flush(),
            Err(error) => Err(error.kind().into()),
        }
    }
}
