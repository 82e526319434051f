use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::unix::pipe,
    time::{sleep, timeout},
};
use trysail_testkit::{model::Model, server::Running};

use crate::support::{Run, assert_right, embed, finish, over, rows, sentences, server};

/// A folder of its own for one test.
struct Folder {
    path: PathBuf,
    server: Running,
}

impl Folder {
    async fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self { path, server: server("").await }
    }

    fn path(&self, name: &str) -> String {
        self.path.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    fn pipe(&self, name: &str) -> String {
        assert!(Command::new("mkfifo").arg(self.path(name)).status().unwrap().success());
        self.path(name)
    }

    fn command(&self, args: &[&str]) -> tokio::process::Command {
        let mut command = embed(&["--url", &self.server.url(), "--model", "potion-base-2M"]);
        command.args(args);
        command
    }

    async fn embed(&self, args: &[&str], input: impl AsRef<[u8]>) -> Run {
        finish(self.command(args), input).await
    }

    /// It is refused with these words, and nothing is sent.
    async fn refuses(&self, args: &[&str], input: impl AsRef<[u8]>, words: &str) {
        let before = self.server.stats().requests;
        let run = self.embed(args, input).await;
        assert_eq!((run.code, self.server.stats().requests - before), (Some(2), 0), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// To the pipe at `path`, once somebody reads from it.
async fn sender_to(path: &str) -> pipe::Sender {
    loop {
        match pipe::OpenOptions::new().open_sender(path) {
            Ok(pipe) => return pipe,
            Err(_) => sleep(Duration::from_millis(5)).await,
        }
    }
}

fn texts_of(rows: &[crate::support::Row], texts: &[&str]) {
    let wanted = texts.iter().map(|text| Some(Model::potion().embed(text)));
    assert!(rows.iter().map(|row| row.embedding.clone()).eq(wanted), "not {texts:?}");
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[tokio::test]
async fn what_is_no_utf_8_text_as_a_whole_is_refused_with_the_command_that_converts_it() {
    let folder = Folder::new("foreign").await;
    let big_endian: Vec<u8> = "one\ntwo\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let good = folder.write("good.txt", "fair wind\n");
    for (bytes, command) in [
        (wide("\u{feff}one\ntwo\n"), "iconv -f UTF-16 -t UTF-8"),
        (wide("one\ntwo\n"), "iconv -f UTF-16LE -t UTF-8"),
        (big_endian, "iconv -f UTF-16BE -t UTF-8"),
        ("\u{feff}one\n".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(), "iconv -f UTF-32 -t UTF-8"),
        ("one\n".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(), "iconv -f UTF-32BE -t UTF-8"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x2b\xc9".to_vec(), "gzip -dc"),
        (b"PK\x03\x04\x14\0\0\0\x08\0".to_vec(), "unzip -p"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(), "pdftotext"),
    ] {
        let name = folder.write("in here.txt", &bytes);
        // Wherever it stands, since all of it is known before anything is sent.
        folder.refuses(&[&good, &name], "", &format!("cannot read {name}: it is ")).await;
        folder.refuses(&[&name], "", &format!("{command} '{name}'")).await;
        folder.refuses(&["-"], &bytes, "cannot read standard input: it is ").await;
        folder.refuses(&[], &bytes, &format!("send it through: {command}")).await;
    }
}

#[tokio::test]
async fn wide_text_in_a_pipe_is_known_however_slowly_it_comes() {
    let folder = Folder::new("dribble").await;
    let mut child = folder.command(&[]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for byte in wide("a\nb\n") {
        if stdin.write_all(&[byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(5)).await;
    }
    drop(stdin);
    let run = over(child).await;
    assert_eq!((run.code, folder.server.stats().requests), (Some(2), 0), "{}", run.stderr);
    assert!(run.stderr.contains("iconv -f UTF-16LE -t UTF-8"), "{}", run.stderr);
}

#[tokio::test]
async fn odd_bytes_cost_their_line_and_no_other() {
    let folder = Folder::new("odd").await;
    let first = folder.write("first.txt", b"\xef\xbb\xbfone\na\0b\ncaf\xe9\n\xff\xfe\nfive");
    let second = folder.write("second.txt", "\u{feff}six\r\nse\rven\r\n");
    let empty = folder.write("empty.txt", "");
    let run = folder.embed(&[&first, &empty, &second, &first], "").await;
    let rows = run.rows();
    assert_eq!((run.code, rows.len()), (Some(1), 12), "{}", run.stderr);
    for (at, text) in [(0, "one"), (1, "a\0b"), (4, "five"), (5, "six"), (6, "se\rven"), (7, "one")] {
        assert_eq!(rows[at].embedding, Some(Model::potion().embed(text)), "{text:?}");
    }
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row.error.is_some(), [2, 3, 9, 10].contains(&at), "{row:?}");
    }
    assert_eq!(rows[5].file.as_deref(), Some(second.as_str()));
}

#[tokio::test]
async fn a_lone_cr_ends_a_line_where_lines_end_in_it() {
    let folder = Folder::new("mac").await;
    let input = folder.write("in.txt", "one\rtwo\r\rfour");
    let run = folder.embed(&[&input], "").await;
    assert_eq!(run.rows().iter().map(|row| row.line).collect::<Vec<_>>(), [1, 2, 4]);
    texts_of(&run.rows(), &["one", "two", "four"]);
    let run = folder.embed(&[], "o\rne\ntwo\r\n").await;
    texts_of(&run.rows(), &["o\rne", "two"]);
}

#[tokio::test]
async fn a_line_longer_than_max_line_fails_alone_and_is_never_held() {
    let folder = Folder::new("long").await;
    let long = "x".repeat(40);
    for end in ["\n", "\n\n", ""] {
        let run =
            folder.embed(&["--max-line", "16"], format!("fair wind\n{long}\r\nsixteen bytes ok\n{long}{end}")).await;
        let rows = run.rows();
        assert_eq!((run.code, rows.len()), (Some(1), 4), "{}", run.stderr);
        texts_of(&[&rows[..1], &rows[2..3]].concat(), &["fair wind", "sixteen bytes ok"]);
        for at in [1, 3] {
            let error = rows[at].error.as_ref().unwrap();
            assert_eq!((error.class.as_str(), error.attempts), ("permanent", 0));
            assert!(error.message.contains("longer than 16 bytes (--max-line)"), "{error:?}");
        }
    }
    // A line of 256 MiB, in an address space that could not hold it beside the program.
    let mut command = tokio::process::Command::new("sh");
    let line = "(echo fair wind; head -c 268435456 /dev/zero | tr '\\0' x; echo; echo the sea)";
    let limited = format!("{line} | (ulimit -d 200000; exec \"$@\")");
    command.args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_embed"), "--url", &folder.server.url()]);
    command
        .args(["--model", "potion-base-2M"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove("OPENAI_API_KEY");
    let run = over(command.spawn().unwrap()).await;
    let found: Vec<_> = run.rows().iter().map(|row| row.embedding.is_some()).collect();
    assert_eq!((run.code, found), (Some(1), vec![true, false, true]), "{}", run.stderr);
}

#[tokio::test]
async fn named_pipes_are_read_and_written() {
    let folder = Folder::new("pipes").await;
    let texts = sentences(50);
    let (input, out) = (folder.pipe("in"), folder.pipe("out"));
    // In the order in which a shell would, with nobody at the output before the input has come.
    let child = folder.command(&["--out", &out, &input]).spawn().unwrap();
    let written = tokio::task::spawn_blocking(move || fs::write(input, texts.join("\n")));
    timeout(Duration::from_secs(10), written).await.expect("the input is opened").unwrap().unwrap();
    let reading = tokio::task::spawn_blocking(move || fs::read_to_string(out));
    let read = timeout(Duration::from_secs(10), reading).await.expect("the output is opened").unwrap().unwrap();
    let run = over(child).await;
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{}", run.stderr);
    assert_right(&rows(&read), &sentences(50));
}

#[tokio::test]
async fn a_reader_of_a_pipe_that_goes_away_ends_the_run_quietly() {
    let folder = Folder::new("left").await;
    let (input, out) = (folder.write("in.txt", sentences(2000).join("\n")), folder.pipe("out"));
    let child = folder.command(&["--out", &out, "--batch", "2", &input]).spawn().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let mut row = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(fs::File::open(out).unwrap()), &mut row).unwrap();
        row
    });
    assert!(read.await.unwrap().starts_with("{\"line\":1,"));
    let run = over(child).await;
    assert_eq!((run.code, run.stderr.as_str()), (Some(141), ""));
}

#[tokio::test]
async fn a_pipe_is_opened_when_its_turn_comes_and_only_then() {
    let folder = Folder::new("turn").await;
    let (first, second) = (folder.pipe("first"), folder.pipe("second"));
    let child = folder.command(&[&first, &second]).spawn().unwrap();
    let mut writer = sender_to(&first).await;
    // Nobody is at the other end of the second as long as the first has not ended.
    assert!(pipe::OpenOptions::new().open_sender(&second).is_err());
    writer.write_all(b"one\n").await.unwrap();
    sleep(Duration::from_millis(300)).await;
    assert!(pipe::OpenOptions::new().open_sender(&second).is_err());
    drop(writer);
    let written = tokio::task::spawn_blocking(move || fs::write(second, "two\n"));
    timeout(Duration::from_secs(10), written).await.expect("the second is opened").unwrap().unwrap();
    texts_of(&over(child).await.rows(), &["one", "two"]);
}

#[tokio::test]
async fn a_reader_of_a_pipe_sees_the_end_of_an_empty_job() {
    let folder = Folder::new("nothing").await;
    let (input, out) = (folder.write("in.txt", "\n"), folder.pipe("out"));
    let child = folder.command(&["--out", &out, &input]).spawn().unwrap();
    let reading = tokio::task::spawn_blocking(move || fs::read_to_string(out));
    let read = timeout(Duration::from_secs(10), reading).await.expect("the output is opened").unwrap().unwrap();
    assert_eq!((over(child).await.code, read.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn an_interrupt_does_not_wait_for_a_reader() {
    let folder = Folder::new("interrupt").await;
    let (input, out) = (folder.pipe("in"), folder.pipe("out"));
    let child = folder.command(&["--out", &out, &input]).spawn().unwrap();
    let _writer = sender_to(&input).await;
    // It listens to signals before long.
    sleep(Duration::from_millis(200)).await;
    let kill = Command::new("kill").args(["-INT", &child.id().unwrap().to_string()]).status().unwrap();
    assert!(kill.success());
    let run = timeout(Duration::from_secs(5), over(child)).await.expect("it ends at once");
    assert_eq!(run.code, Some(130), "{}", run.stderr);
}

#[tokio::test]
async fn devices_are_written_as_files_are() {
    let folder = Folder::new("devices").await;
    for (out, code, printed) in
        [("/dev/null", 0, 0), ("/dev/stdout", 0, 1), ("-", 0, 1), ("/dev/fd/1", 0, 1), ("/dev/full", 1, 0)]
    {
        let run = folder.embed(&["--out", out], "fair wind").await;
        assert_eq!((run.code, run.rows().len()), (Some(code), printed), "{out}: {}", run.stderr);
        let words = if code == 0 { "1 embedded" } else { "cannot write the rows: No space left" };
        assert!(run.stderr.contains(words), "{out}: {}", run.stderr);
    }
    // What stood in the file is not lost because it is called by the name of a device.
    let log = folder.write("log", "first\n");
    let mut command = folder.command(&["--out", "/dev/stdout"]);
    command.stdout(fs::File::options().append(true).open(&log).unwrap());
    assert_eq!(finish(command, "fair wind").await.code, Some(0));
    assert!(fs::read_to_string(&log).unwrap().starts_with("first\n{\"line\":1,"));
    let run = folder.embed(&["/dev/null"], "").await;
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    let run = folder.embed(&["/dev/stdin"], "fair wind").await;
    texts_of(&run.rows(), &["fair wind"]);
}

#[tokio::test]
async fn more_files_than_may_be_open_at_once_are_read() {
    let folder = Folder::new("many").await;
    let texts = sentences(600);
    let names: Vec<_> =
        texts.iter().enumerate().map(|(at, text)| folder.write(&format!("{at:03}.txt"), text)).collect();
    let out = folder.path("out.jsonl");
    for resume in [&[][..], &["--resume"]] {
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", "ulimit -n 40; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_embed"), "--url"]);
        command.args([&folder.server.url(), "--model", "potion-base-2M", "--out", &out]).args(resume).args(&names);
        let run = finish(command_of(command), "").await;
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let rows = rows(&fs::read_to_string(&out).unwrap());
        assert!(rows.iter().map(|row| row.file.as_deref().unwrap()).eq(names.iter().map(String::as_str)));
        assert!(rows.iter().zip(&texts).all(|(row, text)| row.embedding == Some(Model::potion().embed(text))));
    }
}

fn command_of(mut command: tokio::process::Command) -> tokio::process::Command {
    command.env_remove("OPENAI_API_KEY").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn what_cannot_be_read_or_written_is_found_before_anything_is_sent() {
    let folder = Folder::new("refused").await;
    let (input, pipe) = (folder.write("in.txt", "fair wind\n"), folder.pipe("pipe"));
    let (hard, soft) = (folder.path("hard.txt"), folder.path("soft.txt"));
    fs::hard_link(&input, &hard).unwrap();
    symlink(&input, &soft).unwrap();
    let (none, here) = (folder.path("none.txt"), folder.path(""));
    let inside = folder.path("none/out.jsonl");
    symlink(&none, folder.path("dangling")).unwrap();
    for (args, words) in [
        (&[input.as_str(), &none][..], "none.txt: No such file"),
        (&[&input, &here], "it is a directory"),
        (&[&input, &folder.path("dangling")], "dangling: No such file"),
        (&[&input, "-", "-"], "cannot read standard input: it is given twice"),
        (&[&input, "--out", &input], "--out would overwrite an input"),
        (&[&input, "--out", &hard], "--out would overwrite an input"),
        (&[&input, "--out", &soft], "--out would overwrite an input"),
        (&[&soft, "--out", &input], "--out would overwrite an input"),
        (&[&pipe, "--out", &pipe], "--out would overwrite an input"),
        (&[&input, "--out", &here], "it is a directory"),
        (&[&input, "--out", &inside], "none/out.jsonl: No such file"),
        (&[&input, "--out", "/dev/null", "--resume"], "it is no file that could be read and replaced"),
        (&[&input, "--out", &pipe, "--resume"], "it is no file that could be read and replaced"),
        (&[&input, "--out", "-", "--resume"], "it is no file that could be read and replaced"),
        (&[&input, "--out", "/dev/stdout", "--resume"], "it is no file that could be read and replaced"),
    ] {
        timeout(Duration::from_secs(10), folder.refuses(args, "", words)).await.unwrap_or_else(|_| panic!("{args:?}"));
    }
    assert_eq!(fs::read_to_string(&input).unwrap(), "fair wind\n");

    let mut at_stdin = folder.command(&["--out", &input]);
    at_stdin.stdin(fs::File::open(&input).unwrap());
    let mut at_stdout = folder.command(&[&input]);
    at_stdout.stdout(fs::File::options().append(true).open(&input).unwrap());
    for mut command in [at_stdin, at_stdout] {
        let run = over(command.spawn().unwrap()).await;
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains("would overwrite an input"), "{}", run.stderr);
    }
    assert_eq!(fs::read_to_string(&input).unwrap(), "fair wind\n");
}

#[tokio::test]
async fn a_file_that_vanishes_before_its_turn_is_named() {
    let folder = Folder::new("gone").await;
    let (first, second) = (folder.pipe("first"), folder.write("second.txt", "two\n"));
    let child = folder.command(&[&first, &second]).spawn().unwrap();
    let gone = second.clone();
    let written = tokio::task::spawn_blocking(move || {
        let mut pipe = fs::File::options().write(true).open(first).unwrap();
        fs::remove_file(gone).unwrap();
        std::io::Write::write_all(&mut pipe, b"one\n").unwrap();
    });
    timeout(Duration::from_secs(10), written).await.expect("the pipe is opened").unwrap();
    let run = over(child).await;
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    texts_of(&run.rows(), &["one"]);
    let words = format!("cannot read {second}: it was there at the start, and is gone");
    assert!(run.stderr.contains(&words), "{}", run.stderr);
}

#[tokio::test]
async fn a_pipe_can_be_resumed() {
    let folder = Folder::new("resumed").await;
    let (pipe, out) = (folder.pipe("in"), folder.path("out.jsonl"));
    let texts = sentences(20);
    for _ in 0..2 {
        let child = folder.command(&["--out", &out, "--resume", &pipe]).spawn().unwrap();
        let (pipe, input) = (pipe.clone(), texts.join("\n"));
        let written = tokio::task::spawn_blocking(move || fs::write(pipe, input));
        timeout(Duration::from_secs(10), written).await.expect("it is opened").unwrap().unwrap();
        assert_eq!(over(child).await.code, Some(0));
        assert_right(&rows(&fs::read_to_string(&out).unwrap()), &texts);
    }
    assert_eq!(folder.server.stats().inputs, 20);
}
