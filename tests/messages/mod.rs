//! What the compiler says to the commonest mistakes: in our words, and what to write instead.
//!
//! Each case is a program whose lines that end in `// wrong` are the mistake, and those that end in `// right` what the
//! message says to write. It is checked with the ones and with the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::Command,
};

use serde_json::Value;

#[test]
fn the_compiler_says_what_is_missing_and_what_to_write() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = cases(&tests.join("messages/cases"));
    assert!(cases.len() >= 10);
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("messages");
    write_package(&package, tests, &cases);
    let (said, built) = check(&package);

    let mut wrong = String::new();
    for (name, case) in cases {
        let right = format!("{name}_right");
        if !built.contains(&right) {
            let said = said.get(&right).map_or("", String::as_str);
            wrong += &format!("{name}, put right, does not compile:\n{said}\n");
        }
        let words = case.lines().filter_map(|line| line.strip_prefix("//! says: ")).collect::<Vec<_>>();
        assert!(!words.is_empty(), "{name} says nothing");
        let said = said.get(&name).map_or("nothing, since it compiles", String::as_str);
        for words in words.into_iter().filter(|words| !said.contains(words)) {
            wrong += &format!("{name} does not say {words}, but\n{said}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The cases by their names.
fn cases(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).expect("it is there").map(|file| file.expect("it can be listed").path());
    let named = files.map(|file| {
        let name = file.file_stem().expect("it has a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(&file).expect("it can be read"))
    });
    named.collect()
}

/// A package outside of the workspace, as that of a user, with two programs for each case.
fn write_package(package: &Path, tests: &Path, cases: &BTreeMap<String, String>) {
    let programs = package.join("src/bin");
    if programs.exists() {
        fs::remove_dir_all(&programs).expect("it is ours");
    }
    fs::create_dir_all(&programs).expect("it can be made");
    let root = tests.parent().expect("a folder of the workspace");
    let manifest = MANIFEST.replace("{facade}", &root.join("crates/trysail").display().to_string());
    fs::write(package.join("Cargo.toml"), manifest).expect("it can be written");
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).expect("the versions are those of the workspace");
    fs::copy(tests.join("messages/common.rs"), package.join("src/lib.rs")).expect("it is there");
    for (name, case) in cases {
        for (program, left_out) in [(name.clone(), "// right"), (format!("{name}_right"), "// wrong")] {
            let lines = case.lines().map(|line| if line.ends_with(left_out) { "" } else { line });
            let text = lines.collect::<Vec<_>>().join("\n");
            fs::write(programs.join(program).with_extension("rs"), text).expect("it can be written");
        }
    }
}

/// What is said of each program that does not compile, and which ones do.
fn check(package: &Path) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["check", "--offline", "--keep-going", "--bins", "--message-format=json"])
        .current_dir(package)
        .env("CARGO_TARGET_DIR", package.join("target"))
        .output()
        .expect("cargo runs where cargo test does");
    let (mut said, mut built) = (BTreeMap::<String, String>::new(), BTreeSet::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let Some(program) = message["target"]["name"].as_str() else { continue };
        if message["reason"] == "compiler-artifact" {
            built.insert(program.to_owned());
        }
        if message["message"]["level"] == "error" {
            let rendered = message["message"]["rendered"].as_str().unwrap_or_default();
            said.entry(program.to_owned()).or_default().push_str(rendered);
        }
    }
    assert!(built.contains("common"), "{}", String::from_utf8_lossy(&output.stderr));
    (said, built)
}

const MANIFEST: &str = r#"
[package]
name = "common"
version = "0.0.0"
edition = "2024"

[dependencies]
axum = { version = "0.8", default-features = false }
bytes = "1"
http = "1"
http-body-util = "0.1"
tower = { version = "0.5", default-features = false, features = ["util"] }
trysail.path = "{facade}"

[workspace]
"#;
