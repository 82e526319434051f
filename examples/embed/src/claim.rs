//! One run at a time writes a file.

use std::{
    fs::{File, TryLockError},
    io::{self, ErrorKind},
    path::Path,
};

/// An empty file that other runs keep away from until it is closed.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    // Emptied only once it is known that nobody is writing there.
    let file = File::options().write(true).create(true).truncate(false).open(path)?;
    claim(&file)?;
    file.set_len(0)?;
    Ok(file)
}

/// Keeps other runs away from `file` until it is closed.
pub(crate) fn claim(file: &File) -> io::Result<()> {
    lock(file, File::try_lock)
}

/// Keeps other runs from writing to `file` until it is closed; they may read it.
pub(crate) fn share(file: &File) -> io::Result<()> {
    lock(file, File::try_lock_shared)
}

fn lock(file: &File, lock: impl FnOnce(&File) -> Result<(), TryLockError>) -> io::Result<()> {
    // A device is nobody's.
    if !file.metadata()?.is_file() {
        return Ok(());
    }
    match lock(file) {
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another run is writing there; let it end first")),
        Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => Err(error),
        _ => Ok(()),
    }
}
