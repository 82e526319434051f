use std::{env, process::Command};

/// How many bytes one of `things` takes that `case` makes and keeps: the difference of two runs, so that what is there
/// only once cancels out.
pub(crate) fn bytes_per_thing(case: &str, things: u32) -> Result<i64, String> {
    let (few, many) = (bytes_in_use(case, things.into())?, bytes_in_use(case, 2 * u64::from(things))?);
    Ok((many - few).div_euclid(things.into()))
}

/// How many bytes of the heap are in use after so many calls of `case`.
pub(crate) fn bytes_in_use(case: &str, calls: u64) -> Result<i64, String> {
    let this = env::current_exe().map_err(|error| format!("cannot find this program to run it again: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"])
        .arg(this)
        .args(["run", case, &calls.to_string()])
        .output()
        .map_err(|error| format!("cannot run valgrind, which counts; is it installed? ({error})"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{case}: valgrind has failed:\n{said}"));
    }
    let bytes = said.split_once("in use at exit: ").and_then(|(_, rest)| rest.split_once(" bytes"));
    let bytes = bytes.and_then(|(bytes, _)| bytes.replace(',', "").parse().ok());
    bytes.ok_or_else(|| format!("{case}: valgrind has not said what is in use"))
}
