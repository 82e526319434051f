use std::{process::Command, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::Child,
    time::timeout,
};

use crate::support::{assert_right, embed, over, rows, sentences, server};

fn interrupt(child: &Child) {
    let kill = Command::new("kill").args(["-INT", &child.id().unwrap().to_string()]).status().unwrap();
    assert!(kill.success());
}

#[tokio::test]
async fn an_interrupted_run_leaves_whole_rows_in_order() {
    let server = server("slow=100ms:100").await;
    let texts = sentences(400);
    let args = ["--url", &server.url(), "--model", "potion-base-2M", "--batch", "4", "--concurrency", "4"];
    let mut child = embed(&args).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(texts.join("\n").as_bytes()).await.unwrap();
    // The input has not ended yet, which must not matter.
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut output = String::new();
    for _ in 0..5 {
        stdout.read_line(&mut output).await.unwrap();
    }
    interrupt(&child);
    timeout(Duration::from_secs(5), stdout.read_to_string(&mut output)).await.expect("it ends at once").unwrap();
    let run = over(child).await;
    assert_eq!(run.code, Some(130));
    let rows = rows(&output);
    assert!((5..400).contains(&rows.len()), "{}", rows.len());
    assert_right(&rows, &texts[..rows.len()]);
    assert!(run.stderr.contains("interrupted"), "{}", run.stderr);
}

#[tokio::test]
async fn an_interrupt_does_not_wait_for_input_or_for_a_server_that_hangs() {
    let server = server("hang:100").await;
    let mut child = embed(&["--url", &server.url()]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"a line\n").await.unwrap();
    while server.stats().requests == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    interrupt(&child);
    let run = timeout(Duration::from_secs(5), over(child)).await.expect("it ends at once");
    assert_eq!((run.code, run.stdout.as_str()), (Some(130), ""));
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_run_quietly() {
    let mut child = embed(&["--batch", "2"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    tokio::spawn(async move { stdin.write_all(sentences(20_000).join("\n").as_bytes()).await });
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).await.unwrap();
    drop(stdout);
    let run = over(child).await;
    assert_eq!((run.code, run.stderr.as_str()), (Some(141), ""));
}
