use std::{fs, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    time::timeout,
};
use trysail_testkit::model::Model;

use crate::support::{embed, finish, run, server};

#[tokio::test]
async fn blank_lines_count_but_are_not_embedded() {
    let run = finish(embed(&["--quiet"]), "\n  \nthe sea\r\n\t\n\nthe storm").await;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let rows = run.rows();
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 6]);
    assert_eq!(rows[0].embedding, Some(Model::potion().embed("the sea")));
    assert!(rows.iter().all(|row| row.file.is_none()));
}

#[tokio::test]
async fn nothing_in_is_nothing_out() {
    for input in ["", "\n \n"] {
        let run = finish(embed(&[]), input).await;
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    }
}

#[tokio::test]
async fn several_files_are_named_in_their_rows() {
    let folder = tempfile("several");
    let [first, second] = ["a.txt", "b.txt"].map(|name| folder.join(name).to_str().unwrap().to_owned());
    fs::write(&first, "one\n\ntwo\n").unwrap();
    fs::write(&second, "three").unwrap();
    let out = folder.join("out.jsonl").to_str().unwrap().to_owned();
    let run = finish(embed(&["--out", &out, &first, "-", &second]), "from the pipe").await;
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    let rows = crate::support::rows(&fs::read_to_string(&out).unwrap());
    let places: Vec<_> = rows.iter().map(|row| (row.file.as_deref().unwrap(), row.line)).collect();
    assert_eq!(places, [(first.as_str(), 1), (&first, 3), ("-", 1), (&second, 1)]);
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_line_that_is_no_text_fails_alone_and_is_not_sent() {
    let server = server("").await;
    let long = "x".repeat((1 << 20) + 1);
    let input = [b"the sea\ncaf\xe9\n".as_slice(), long.as_bytes(), b"\nthe storm"].concat();
    let run = run(&server.url(), &[], input).await;
    let rows = run.rows();
    assert_eq!((run.code, rows.len(), server.stats().inputs), (Some(1), 4, 2));
    assert_eq!(rows[3].embedding, Some(Model::potion().embed("the storm")));
    for (row, why) in [(&rows[1], "not UTF-8"), (&rows[2], "longer than 1048576 bytes (--max-line)")] {
        let error = row.error.as_ref().unwrap();
        assert_eq!((error.class.as_str(), error.attempts), ("permanent", 0));
        assert!(error.message.contains(why), "{error:?}");
    }
}

#[tokio::test]
async fn a_row_does_not_wait_for_lines_that_are_not_there_yet() {
    let mut child = embed(&[]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in 1..=2 {
        stdin.write_all(b"hello\n").await.unwrap();
        let row = timeout(Duration::from_secs(10), rows.next_line()).await.expect("it answers").unwrap().unwrap();
        assert!(row.starts_with(&format!("{{\"line\":{line},")), "{row}");
    }
}

#[tokio::test]
async fn input_without_end_is_not_read_ahead_without_end() {
    let server = server("hang:100").await;
    let mut child = embed(&["--url", &server.url(), "--batch", "4", "--concurrency", "2"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let line = format!("{}\n", "sea ".repeat(250));
    let mut taken = 0;
    while let Ok(written) = timeout(Duration::from_millis(700), stdin.write_all(line.as_bytes())).await {
        written.unwrap();
        taken += 1;
        assert!(taken < 600, "it goes on reading");
    }
    // 16 x 2 batches of 4 lines, what waits between the threads, and the pipe itself.
    assert!(taken >= 128, "{taken}");
}

#[tokio::test]
async fn an_input_is_never_overwritten_by_whatever_name() {
    let folder = tempfile("overwritten");
    let (input, link) = (folder.join("in.txt"), folder.join("link.txt"));
    fs::write(&input, "\u{feff}fair wind\n").unwrap();
    fs::hard_link(&input, &link).unwrap();
    let refused = finish(embed(&["--out", link.to_str().unwrap(), input.to_str().unwrap()]), "").await;
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("--out would overwrite an input"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&input).unwrap(), "\u{feff}fair wind\n");

    let run = finish(embed(&[input.to_str().unwrap()]), "").await;
    let vector = run.rows()[0].embedding.clone().unwrap();
    assert_eq!(vector, Model::potion().embed("fair wind"), "a byte order mark is no text");
    fs::remove_dir_all(folder).unwrap();
}

/// A new folder for one test.
fn tempfile(name: &str) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}
