//! The program prints what its README shows, where `…` stands for what differs from run to run.

use std::process::Command;

#[test]
fn it_prints_what_its_readme_shows() {
    let output = Command::new(env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME")))).output().expect("it runs");
    let readme = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let (_, shown) = readme.split_once("```text\n").expect("the README shows it");
    let (shown, _) = shown.split_once("```").expect("the block ends");
    let printed = String::from_utf8(output.stdout).expect("it is text");
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    let mut rest = &*printed;
    let mut pieces = shown.split('…').peekable();
    while let Some(piece) = pieces.next() {
        let at = rest.find(piece).unwrap_or_else(|| panic!("printed:\n{printed}\nshown:\n{shown}"));
        rest = &rest[at + piece.len()..];
        assert!(pieces.peek().is_some() || rest.is_empty(), "printed:\n{printed}\nshown:\n{shown}");
    }
    let first = shown.split('…').next().unwrap_or_default();
    assert!(printed.starts_with(first), "printed:\n{printed}\nshown:\n{shown}");
}
