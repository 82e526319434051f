use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::table::Table;

/// How large a program is that makes one call, and what layers add to it.
pub(crate) fn table() -> Result<Table, String> {
    let mut table = Table::new("Size", ABOUT, &["program", "bytes", "added"]);
    let mut bare = None;
    for (what, bin, features) in [
        ("bare", "size-bare", ""),
        ("tower: timeout, retry, timeout", "size-tower", ""),
        ("trysail: timeout, retry, timeout", "size-trysail", ""),
        ("trysail: all four layers", "size-stack", "stack"),
    ] {
        let bytes = bytes(bin, features)?;
        let bare = *bare.get_or_insert(bytes);
        table.rows.push(vec![what.to_owned(), bytes.to_string(), format!("{:+}", bytes - bare)]);
    }
    Ok(table)
}

/// Builds one of the programs, and weighs it.
fn bytes(bin: &str, features: &str) -> Result<i64, String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("size"));
    cargo.args([
        "build",
        "--quiet",
        "--profile",
        "size",
        "--message-format",
        "json",
        "--bin",
        bin,
        "--features",
        features,
    ]);
    let built = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !built.status.success() {
        return Err(format!("cannot build {bin}: {}", String::from_utf8_lossy(&built.stderr)));
    }
    let messages = String::from_utf8_lossy(&built.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = messages.filter_map(|message| Some(message["executable"].as_str()?.to_owned())).next_back();
    let program = program.ok_or_else(|| format!("cargo names no program for {bin}"))?;
    let file = fs::metadata(&program).map_err(|error| format!("cannot read {program}: {error}"))?;
    Ok(file.len().cast_signed())
}

const ABOUT: &str = "\
Bytes of a program that makes one call through a service that fails now and then, with the features `timeout` and \
`retry` alone but for the last row: optimised for size in one piece (`opt-level = \"z\"`, `lto`, one codegen unit, \
`panic = \"abort\"`), stripped, and linked dynamically to libc. The runtime and the printing are in all of them. \
`cargo run --release -p trysail-bench -- size` prints this table alone.";
