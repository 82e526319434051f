//! Goes on where an earlier run has stopped.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use crate::{
    claim::claim,
    earlier::{Earlier, Inputs},
    rows::Rows,
    source::Source,
    space::Space,
};

/// Where new rows go, and the earlier ones that say which lines to pass over; none if there is no `out` yet.
///
/// New and earlier rows are merged in a [file beside](beside) it. A run that was killed leaves that behind: it is
/// complete up to its last row, so the rest is added first.
pub(crate) fn resume(out: &Path, source: &Source) -> Result<(Rows, Option<Earlier>), String> {
    let inputs = source.names();
    let mut names = HashSet::new();
    if let Some(name) = inputs.0.iter().find(|name| !names.insert(*name)) {
        return Err(format!("--resume cannot tell the rows of {name} apart, which is given twice"));
    }
    let opened = || {
        let out = out.canonicalize().unwrap_or_else(|_| out.to_owned());
        let part = beside(&out);
        if part.exists() {
            recover(&part, &out, &inputs)?;
        }
        if !out.exists() {
            return Ok((Rows::to(&out)?, None));
        }
        if !out.is_file() {
            return Err(io::Error::other(NO_FILE));
        }
        let earlier = || Earlier::open(&out, &inputs);
        let space = check(earlier()?, source)?;
        // One that has come up by now is of a run that may be over next, with this file in the place of `out`.
        let file = File::create_new(&part)?;
        claim(&file)?;
        file.set_permissions(out.metadata()?.permissions())?;
        Ok((Rows::among(earlier()?, file, part, out.clone())?.within(space), Some(earlier()?)))
    };
    opened().map_err(|error| format!("cannot resume --out {}: {error}", out.display()))
}

/// Where the rows of a resumed run are until it ends.
pub(crate) fn beside(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".resume");
    name.into()
}

/// Makes one of the `part` that a killed run has left and of the rows in `out` it had not come to.
fn recover(part: &Path, out: &Path, inputs: &Inputs) -> io::Result<()> {
    let mut written = Earlier::open(part, inputs)?;
    let mut last = None;
    while let Some(row) = written.row() {
        last = Some(row.position);
        written.advance()?;
    }
    if !out.exists() {
        return fs::rename(part, out);
    }
    let (passed, model) = (written.passed(), written.model().map(str::to_owned));
    // Or else its claim would be in the way of the next.
    drop(written);
    let mut file = File::options().write(true).open(part)?;
    claim(&file)?;
    file.set_len(passed)?;
    file.seek(SeekFrom::End(0))?;
    let mut rest = Earlier::open(out, inputs)?;
    while rest.row().is_some_and(|row| Some(row.position) <= last) {
        rest.advance()?;
    }
    Rows::among(rest, file, part.to_owned(), out.to_owned())?.after(model).finish()
}

/// Finds out now, and not after hours, whether the rows and the input belong together, and what their vectors have in
/// common; a pipe can be read only once.
fn check(mut earlier: Earlier, source: &Source) -> io::Result<Space> {
    if source.size().is_some() {
        let mut lines = source.clone().lines(Some(earlier));
        lines.try_for_each(|line| line.map(drop))?;
        return Ok(lines.earlier().map(Earlier::space).cloned().unwrap_or_default());
    }
    while earlier.row().is_some() {
        earlier.advance()?;
    }
    Ok(earlier.space().clone())
}

/// Why a pipe, a device or a folder is not resumed.
pub(crate) const NO_FILE: &str = "it is no file that could be read and replaced";
