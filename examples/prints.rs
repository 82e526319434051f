//! The program prints what its README shows.

use std::process::Command;

#[test]
fn it_prints_what_its_readme_shows() {
    let output = Command::new(env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME")))).output().expect("it runs");
    let readme = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let (_, shown) = readme.split_once("```text\n").expect("the README shows it");
    let (shown, _) = shown.split_once("```").expect("the block ends");
    let printed = String::from_utf8(output.stdout).expect("it is text");
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(printed, shown);
}
