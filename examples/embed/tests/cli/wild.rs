//! Servers as they are met: what they answered in public bug reports, and more of the same kinds.

mod encode;
mod play;
mod right;
mod script;
mod server;
mod situation;

use std::{
    fs,
    path::{Path, PathBuf},
};

use futures_util::{StreamExt, stream};

use self::{play::play, script::Case, situation::Situation};

#[tokio::test]
async fn of_servers_as_they_are_met_every_line_gets_its_own_vector_or_an_error() {
    let named = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let case = fs::read_to_string(&path).unwrap();
        Case { name, ..serde_json::from_str(&case).unwrap_or_else(|error| panic!("{}: {error}", path.display())) }
    };
    let cases: Vec<_> = files(&data("servers")).into_iter().map(named).collect();
    assert!(cases.len() >= 19);
    play_all(cases).await;
}

#[tokio::test]
async fn situations_end_as_they_should_and_cost_no_more_than_they_may() {
    let cases = lines("situations.jsonl").into_iter().map(|situation: Situation| situation.case());
    play_all(cases.collect()).await;
}

#[tokio::test]
async fn more_servers_of_the_same_kinds_end_as_they_should() {
    let cases = lines("more.jsonl");
    assert!(cases.len() >= 25);
    play_all(cases).await;
}

#[test]
fn the_copies_are_those_that_are_shared() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/wild");
    if !shared.exists() {
        eprintln!("skipped: no {}", shared.display());
        return;
    }
    for (theirs, ours) in [(shared.join("servers"), data("servers")), (shared.clone(), data("situations.jsonl"))] {
        let theirs = if ours.is_dir() { files(&theirs) } else { vec![theirs.join("situations.jsonl")] };
        let ours = if ours.is_dir() { files(&ours) } else { vec![ours] };
        let read = |paths: Vec<PathBuf>| -> Vec<_> {
            paths.into_iter().map(|path| (path.file_name().unwrap().to_owned(), fs::read(path).unwrap())).collect()
        };
        assert!(read(theirs) == read(ours), "tests/data/wild differs from {}", shared.display());
    }
}

/// Plays them a few at a time, since some wait, and says of all what came out.
async fn play_all(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    let mut played = stream::iter(cases).map(|case| async move { (play(&case).await, case) }).buffer_unordered(8);
    while let Some((outcome, Case { name, about, .. })) = played.next().await {
        println!("{name}: {about}\n    {outcome}");
        if !outcome.wrong.is_empty() {
            wrong.push(format!("{name}: {}", outcome.wrong.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/wild").join(name)
}

/// The JSON files of a folder, by their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    files.sort();
    files
}

/// What stands in a file of `data`, one a line.
fn lines<T: serde::de::DeserializeOwned>(name: &str) -> Vec<T> {
    let text = fs::read_to_string(data(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}
