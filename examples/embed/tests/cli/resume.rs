use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio::time::{Instant, sleep};
use trysail_testkit::server::Running;

use crate::support::{Run, assert_right, embed, finish, over, rows, sentences, server};

/// A folder of its own for one test.
struct Place {
    folder: PathBuf,
    server: Running,
}

impl Place {
    async fn new(name: &str, plan: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("resume-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self { folder, server: server(plan).await }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, args: &[&str]) -> tokio::process::Command {
        let url = self.server.url();
        let mut command = embed(&["--url", &url, "--model", "potion-base-2M", "--out", &self.path("out.jsonl")]);
        command.args(["--batch", "4"]).args(args);
        command
    }

    async fn embed(&self, args: &[&str], input: impl AsRef<[u8]>) -> Run {
        finish(self.command(args), input).await
    }

    /// What a run writes that nothing disturbs.
    async fn undisturbed(&self, args: &[&str], input: &str) -> String {
        let run = self.embed(args, input).await;
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let whole = self.read("out.jsonl");
        fs::remove_file(self.path("out.jsonl")).unwrap();
        whole
    }

    /// The output is `whole`, and not printed if it is not.
    fn holds(&self, whole: &str) {
        let out = self.read("out.jsonl");
        let same = out.lines().zip(whole.lines()).take_while(|(found, wanted)| found == wanted).count();
        assert!(out == whole, "they differ from row {} on, of {}", same + 1, out.lines().count());
    }

    fn has_part(&self) -> bool {
        fs::exists(self.path("out.jsonl.resume")).unwrap()
    }

    /// Waits for `name` to have so many rows.
    async fn grows(&self, name: &str, rows: usize) {
        let started = Instant::now();
        while fs::read_to_string(self.path(name)).map_or(0, |text| text.lines().count()) < rows {
            assert!(started.elapsed() < Duration::from_secs(30), "{name} does not grow");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Starts a run, and ends it by `signal` when `name` has so many rows.
    async fn cut_short(&self, args: &[&str], signal: &str, name: &str, rows: usize) -> Option<i32> {
        let mut child = self.command(args).spawn().unwrap();
        self.grows(name, rows).await;
        assert!(Command::new("kill").args([signal, &child.id().unwrap().to_string()]).status().unwrap().success());
        child.wait().await.unwrap().code()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a server that fails would have left in the place of a row.
fn failed(line: usize) -> String {
    format!(r#"{{"line":{line},"error":{{"class":"transient","message":"the server answered 503","attempts":21}}}}"#)
}

#[tokio::test]
async fn two_runs_never_write_one_file() {
    let texts = sentences(300);
    let place = Place::new("twice", "slow=30ms:100").await;
    let input = place.write("in.txt", texts.join("\n"));
    let whole = place.undisturbed(&[&input], "").await;
    for (args, name) in [(vec![input.as_str()], "out.jsonl"), (vec!["--resume", &input], "out.jsonl.resume")] {
        let first = place.command(&args).spawn().unwrap();
        place.grows(name, 20).await;
        for second in [vec![input.as_str()], vec!["--resume", &input]] {
            let run = place.embed(&second, "").await;
            assert_eq!(run.code, Some(2), "{}", run.stderr);
            assert!(run.stderr.contains("another run is writing there; let it end first"), "{}", run.stderr);
        }
        assert_eq!(over(first).await.code, Some(0));
        place.holds(&whole);
        // For a resumed run to have something to do.
        place.write("out.jsonl", whole.lines().next().unwrap().to_owned() + "\n");
    }
}

#[tokio::test]
async fn rows_that_a_resumed_run_still_reads_are_not_overwritten() {
    let texts = sentences(300);
    let place = Place::new("read", "slow=30ms:100").await;
    let input = place.write("in.txt", texts.join("\n"));
    let whole = place.undisturbed(&[&input], "").await;
    let begun = place.write("out.jsonl", whole.lines().next().unwrap().to_owned() + "\n");
    let first = place.command(&["--resume", &input]).spawn().unwrap();
    place.grows("out.jsonl.resume", 20).await;
    // As it is while the first looks through its rows, before it has a file beside them.
    fs::rename(place.path("out.jsonl.resume"), place.path("aside")).unwrap();
    let run = place.embed(&[&input], "").await;
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("another run is writing there; let it end first"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(begun).unwrap().lines().count(), 1);
    fs::rename(place.path("aside"), place.path("out.jsonl.resume")).unwrap();
    assert_eq!(over(first).await.code, Some(0));
    place.holds(&whole);
}

#[tokio::test]
async fn an_interrupted_run_that_is_resumed_writes_what_an_uninterrupted_one_does() {
    let texts = sentences(300);
    for (signal, code) in [("-INT", Some(130)), ("-KILL", None)] {
        let place = Place::new(signal, "slow=30ms:100").await;
        let input = place.write("in.txt", texts.join("\n"));
        let whole = place.undisturbed(&[&input], "").await;
        assert_eq!(place.cut_short(&[&input], signal, "out.jsonl", 20).await, code);
        let first = place.read("out.jsonl").lines().count();
        assert!((20..300).contains(&first));
        // And again, in a run that is itself one of these.
        assert_eq!(place.cut_short(&["--resume", &input], signal, "out.jsonl.resume", first + 20).await, code);
        assert_eq!(place.has_part(), code.is_none());
        // What is whole by now is not asked for again.
        let kept = place.read(if code.is_some() { "out.jsonl" } else { "out.jsonl.resume" }).matches('\n').count();
        let before = place.server.stats().inputs;
        let run = place.embed(&["--resume", &input], "").await;
        assert_eq!((run.code, place.has_part()), (Some(0), false), "{}", run.stderr);
        assert_eq!(place.server.stats().inputs - before, 300 - kept as u64);
        place.holds(&whole);
        assert_right(&rows(&whole), &texts);
        assert!(run.stderr.contains(" were there"), "{}", run.stderr);
    }
}

#[tokio::test]
async fn a_file_cut_anywhere_is_completed() {
    let place = Place::new("cut", "").await;
    let texts = sentences(12).join("\n");
    let whole = place.undisturbed(&[], &texts).await;
    let second = whole.find('\n').unwrap() + 1;
    let cuts = (0..10).chain([second - 2, second - 1, second, second + 1, second + 9, second + 40, whole.len() - 1]);
    for cut in cuts.chain([whole.len()]) {
        place.write("out.jsonl", &whole[..cut]);
        let before = place.server.stats().inputs;
        let run = place.embed(&["--resume"], &texts).await;
        assert_eq!((run.code, place.has_part()), (Some(0), false), "{cut}: {}", run.stderr);
        place.holds(&whole);
        let missing = 12 - whole[..cut].matches('\n').count() as u64;
        assert_eq!(place.server.stats().inputs - before, missing, "{cut}");
    }
}

#[tokio::test]
async fn failed_and_missing_rows_are_had_again_and_no_others() {
    let place = Place::new("failed", "").await;
    let texts = sentences(40).join("\n");
    let whole = place.undisturbed(&[], &texts).await;
    let holes = |at: usize, row: &str| match at {
        0 | 7 | 39 => Some(failed(at + 1)),
        12..20 => None,
        _ => Some(row.to_owned()),
    };
    let rows: Vec<_> = whole.lines().enumerate().filter_map(|(at, row)| holes(at, row)).collect();
    place.write("out.jsonl", rows.join("\n") + "\n");
    let before = place.server.stats().inputs;
    let run = place.embed(&["--resume", "--json"], &texts).await;
    assert_eq!((run.code, place.server.stats().inputs - before), (Some(0), 11), "{}", run.stderr);
    place.holds(&whole);
    let summary: serde_json::Value = serde_json::from_str(run.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["summary"]["embedded"], &summary["summary"]["kept"]), (&11.into(), &29.into()));
}

#[tokio::test]
async fn rows_without_a_vector_that_is_of_use_are_had_again() {
    let place = Place::new("useless", "").await;
    let texts = sentences(6).join("\n");
    let whole = place.undisturbed(&[], &texts).await;
    for vector in [
        "\"x\"",
        "\"\"",
        "null",
        "[]",
        "[1e999]",
        "[1.0,1e39]",
        "[-1e999,1.0]",
        "[0.0,0.0]",
        "[[0.5,0.5]]",
        "[0.5,[]]",
        "[0.5,null]",
        "[0.5,\"0.5\"]",
        "[true]",
        "{}",
        "7",
        "true",
        "\"AACAPw==\"",
    ] {
        for at in [0, 3, 5] {
            let useless = format!("{{\"line\":{},\"embedding\":{vector}}}", at + 1);
            let rows: Vec<_> =
                whole.lines().enumerate().map(|(n, row)| if n == at { &*useless } else { row }).collect();
            place.write("out.jsonl", rows.join("\n") + "\n");
            let before = place.server.stats().inputs;
            let run = place.embed(&["--resume"], &texts).await;
            assert_eq!((run.code, place.server.stats().inputs - before), (Some(0), 1), "{vector}: {}", run.stderr);
            assert!(run.stderr.contains("; 5 were there"), "{vector}: {}", run.stderr);
            place.holds(&whole);
        }
    }
}

#[tokio::test]
async fn rows_that_fail_again_stay_failed_and_lose_nothing() {
    let place = Place::new("again", "").await;
    let texts = sentences(10).join("\n");
    let whole = place.undisturbed(&[], &texts).await;
    let holes = |(at, row): (usize, &str)| if at % 3 == 0 { failed(at + 1) } else { row.to_owned() };
    place.write("out.jsonl", whole.lines().enumerate().map(holes).collect::<Vec<_>>().join("\n") + "\n");
    let bad = server("quota:100").await;
    let mut command = embed(&["--url", &bad.url(), "--out", &place.path("out.jsonl"), "--resume", "--batch", "1"]);
    command.args(["--concurrency", "1"]);
    let run = finish(command, &texts).await;
    assert_eq!((run.code, bad.stats().requests), (Some(1), 1), "{}", run.stderr);
    let left = rows(&place.read("out.jsonl"));
    assert!(left.iter().map(|row| row.line).eq(1..=10));
    assert!(left.iter().all(|row| row.embedding.is_some() != (row.line % 3 == 1)));
    assert!(left.iter().filter_map(|row| row.error.as_ref()).all(|error| error.class == "quota_exhausted"));

    assert_eq!(place.embed(&["--resume"], &texts).await.code, Some(0));
    place.holds(&whole);
}

#[tokio::test]
async fn several_files_and_blank_lines_keep_their_order() {
    let place = Place::new("several", "").await;
    let [a, b] =
        [("a.txt", "one\n\ntwo\nthree\n"), ("b.txt", "\nfour\nfive")].map(|(name, text)| place.write(name, text));
    let whole = place.undisturbed(&[&a, "-", &b], "from\nthe\npipe").await;
    let all: Vec<_> = whole.lines().collect();
    assert_eq!(all.len(), 8);
    for missing in 0..8 {
        let rows: Vec<_> = all.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, row)| *row).collect();
        place.write("out.jsonl", rows.join("\n") + "\n");
        let run = place.embed(&["--resume", &a, "-", &b], "from\nthe\npipe").await;
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        place.holds(&whole);
    }
}

#[tokio::test]
async fn the_rows_of_a_killed_resumed_run_are_kept_whole() {
    let place = Place::new("killed", "").await;
    let texts = sentences(12).join("\n");
    let whole = place.undisturbed(&[], &texts).await;
    let all: Vec<_> = whole.lines().collect();
    // The run before had failed at 2, 3 and 10; the killed one has made up for 2 and 3, and was cut in row 7.
    let earlier: Vec<_> = (1..=12)
        .map(|line| match line {
            2 | 3 | 10 => failed(line),
            _ => all[line - 1].to_owned(),
        })
        .collect();
    for (out, asked) in [(Some(earlier.join("\n") + "\n"), 1), (None, 6)] {
        match out {
            Some(out) => drop(place.write("out.jsonl", out)),
            None => fs::remove_file(place.path("out.jsonl")).unwrap(),
        }
        place.write("out.jsonl.resume", format!("{}\n{}", all[..6].join("\n"), &all[6][..30]));

        let refused = place.embed(&[], &texts).await;
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains("say --resume to keep them, or delete it"), "{}", refused.stderr);

        let before = place.server.stats().inputs;
        let run = place.embed(&["--resume"], &texts).await;
        assert_eq!((run.code, place.server.stats().inputs - before), (Some(0), asked), "{}", run.stderr);
        assert!(!place.has_part());
        place.holds(&whole);
    }
}

#[tokio::test]
async fn what_does_not_belong_together_is_refused_before_anything_is_sent() {
    let place = Place::new("wrong", "").await;
    let input = place.write("in.txt", "one\ntwo\n\nfour\n");
    let other = place.write("other.txt", "one");
    let row = |line: u64| format!("{{\"line\":{line},\"embedding\":[1.0,2.0]}}\n");
    let of = |file: &str| format!("{{\"file\":{file:?},\"line\":1,\"embedding\":[1.0]}}\n");
    for (rows, args, words) in [
        ("Call me Ishmael.\n".to_owned(), &[&*input][..], "row 1 of "),
        ("Call me Ishmael.".to_owned(), &[&input], "is no row of this program"),
        (row(1) + "{\"line\":2,\"text\":\"hello\"}\n", &[&input], "row 2 of "),
        (row(1) + "{\"line\":2}\n", &[&input], "is no row of this program"),
        (row(1) + "\n" + &row(2), &[&input], "is no row of this program"),
        (row(2) + &row(1), &[&input], "row 2 of "),
        (row(1) + "{\"line\":2,\"embedding\":[1.0],\"error\":{}}\n", &[&input], "is no row of this program"),
        (row(1) + "{\"line\":2,\"embedding\":[NaN]}\n", &[&input], "is no row of this program"),
        (row(1) + &failed(2) + "\n{\"line\":4,\"embedding\":[1,2,3]}\n", &[&input], "row 3 of "),
        (row(1) + "{\"line\":2,\"embedding\":[1]}\n", &[&input], "holds a vector of 1 numbers, but row 1 one of 2"),
        (row(1) + "{\"line\":2,\"embedding\":[1]}\n", &["-"], "holds a vector of 1 numbers, but row 1 one of 2"),
        (row(1) + &row(1), &[&input], "is out of order"),
        (row(1) + &row(3), &[&input], "is of a line that the input does not have, or that is blank"),
        (row(1) + &row(5), &[&input], "row 2 of "),
        (of(&input), &[&input], "is of one of several inputs"),
        (row(1), &[&input, &other], "names no file, where several are given"),
        (of("third.txt"), &[&input, &other], "is of third.txt, which is not among the inputs"),
        (of(&input) + &of(&other) + &of(&input), &[&input, &other], "is out of order"),
        (row(1), &[&input, &input], "which is given twice"),
    ] {
        place.write("out.jsonl", &rows);
        let run = place.embed(&[&["--resume"], args].concat(), "").await;
        assert_eq!((run.code, place.server.stats().requests), (Some(2), 0), "{rows}: {}", run.stderr);
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(words), "{rows}: {}", run.stderr);
        assert_eq!((place.read("out.jsonl"), place.has_part()), (rows, false));
    }
    let run = finish(embed(&["--resume"]), "").await;
    assert!(run.code == Some(2) && run.stderr.contains("--out <FILE>"), "{}", run.stderr);
    let run = finish(embed(&["--resume", "--out", "."]), "").await;
    assert!(run.code == Some(2) && run.stderr.contains("it is no file"), "{}", run.stderr);
}

#[tokio::test]
async fn a_pipe_that_is_shorter_than_it_was_is_noticed_and_loses_no_row() {
    let place = Place::new("pipe", "").await;
    let texts = sentences(9);
    let whole = place.undisturbed(&[], &texts.join("\n")).await;
    let but_first = whole.split_once('\n').unwrap().1;
    place.write("out.jsonl", but_first);
    let run = place.embed(&["--resume"], texts[..4].join("\n")).await;
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("is of a line that the input does not have"), "{}", run.stderr);
    assert!(!place.has_part());
    place.holds(&whole);
}

#[tokio::test]
async fn the_first_run_may_say_resume_too_and_a_link_stays_one() {
    let place = Place::new("first", "").await;
    let texts = sentences(5).join("\n");
    let target = place.path("elsewhere.jsonl");
    let run = place.embed(&["--resume"], &texts).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let whole = place.read("out.jsonl");
    assert_right(&rows(&whole), &sentences(5));

    fs::rename(place.path("out.jsonl"), &target).unwrap();
    fs::write(&target, whole.lines().next().unwrap()).unwrap();
    std::os::unix::fs::symlink(&target, place.path("out.jsonl")).unwrap();
    assert_eq!(place.embed(&["--resume"], &texts).await.code, Some(0));
    assert!(fs::symlink_metadata(place.path("out.jsonl")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(target).unwrap(), whole);
}
