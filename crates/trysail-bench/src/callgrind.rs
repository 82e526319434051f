use std::{env, fs, io, process::Command};

/// How many instructions one call of `case` takes: the difference of two runs, so that start and end cancel out.
pub(crate) fn instructions_per_call(case: &str, calls: u32) -> io::Result<i64> {
    let (few, many) = (instructions(case, calls.into())?, instructions(case, 2 * u64::from(calls))?);
    Ok((many - few).div_euclid(calls.into()))
}

fn instructions(case: &str, calls: u64) -> io::Result<i64> {
    let file = env::temp_dir().join(format!("trysail-bench-{}-{case}-{calls}", std::process::id()));
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(env::current_exe()?)
        .args(["run", case, &calls.to_string()])
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot run valgrind, which counts: {error}")))?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let profile = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    let total = profile.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    let total = total.and_then(|total| total.trim().parse().ok());
    total.ok_or_else(|| io::Error::other("callgrind has written no total"))
}
