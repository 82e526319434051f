//! Vectors of one output can be compared.

use std::{fs, path::Path};

use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::support::{Row, Run, embed, finish, rows};

/// A server of several models and lengths: each text says `by MODEL` and how `long` its vector is.
struct Server {
    url: String,
    running: JoinHandle<()>,
    out: String,
}

async fn answer(Json(body): Json<Value>) -> Json<Value> {
    let texts = body["input"].as_array().unwrap();
    let word = |text: &Value, lead: &str| {
        let text = text.as_str().unwrap();
        text.split_once(lead).map(|(_, rest)| rest.split(' ').next().unwrap().to_owned())
    };
    let vector = |text: &Value| vec![0.5; word(text, " long ").map_or(4, |long| long.parse().unwrap())];
    let item = |(index, text)| json!({ "index": index, "embedding": vector(text) });
    let data: Vec<_> = texts.iter().enumerate().map(item).collect();
    Json(json!({ "data": data, "model": word(&texts[0], " by ") }))
}

impl Server {
    async fn new(name: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer);
        let running = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("space-{name}-{}.jsonl", std::process::id()));
        let out = out.to_str().unwrap().to_owned();
        let _ = fs::remove_file(&out);
        Self { url, running, out }
    }

    /// One request a line, so that each may have its own answer.
    async fn embed(&self, args: &[&str], lines: &[&str]) -> Run {
        let args = [&["--url", &self.url, "--model", "m", "--batch", "1", "--out", &self.out], args].concat();
        finish(embed(&args), lines.join("\n")).await
    }

    fn rows(&self) -> Vec<Row> {
        rows(&self.read())
    }

    fn read(&self) -> String {
        fs::read_to_string(&self.out).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.abort();
        let _ = fs::remove_file(&self.out);
    }
}

#[tokio::test]
async fn the_model_is_named_in_the_first_row_of_its_vectors_and_where_it_changes() {
    let server = Server::new("named").await;
    let lines = ["1 by a", "2 by a", "3 by b", "4 by b", "5", "6 by b", "7 by a"];
    assert_eq!(server.embed(&[], &lines).await.code, Some(0));
    let names: Vec<_> = server.rows().into_iter().map(|row| row.model).collect();
    assert_eq!(names, [Some("a"), None, Some("b"), None, None, None, Some("a")].map(|name| name.map(str::to_owned)));
    let whole = server.read();
    assert!(whole.starts_with("{\"line\":1,\"model\":\"a\",\"embedding\":["), "{whole}");
    // A failed row is by no model.
    let long = "x".repeat(50);
    assert_eq!(server.embed(&["--max-line", "40"], &[&long, "2 by a"]).await.code, Some(1));
    assert_eq!(server.rows()[1].model.as_deref(), Some("a"));

    // Whichever rows beside those were missing, it is named in no others in the end.
    for missing in [&[2][..], &[4], &[6], &[2, 4, 5], &[4, 5, 6], &[2, 4, 5, 6]] {
        let rows = whole.split_inclusive('\n').zip(1..).filter(|(_, line)| !missing.contains(line));
        fs::write(&server.out, rows.map(|(row, _)| row).collect::<String>()).unwrap();
        let run = server.embed(&["--resume"], &lines).await;
        assert_eq!((run.code, server.read()), (Some(0), whole.clone()), "{missing:?}: {}", run.stderr);
    }
}

#[tokio::test]
async fn vectors_of_another_length_are_errors_from_there_on() {
    let server = Server::new("length").await;
    let lines = ["1 by a", "2 by a", "3 by a long 6 ", "4 by a long 6 ", "5 by a"];
    let run = server.embed(&[], &lines).await;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("3 embedded, 2 failed (malformed 2×)"), "{}", run.stderr);
    for row in server.rows() {
        let Some(error) = row.error else {
            assert_eq!(row.embedding, Some(vec![0.5; 4]));
            continue;
        };
        assert!([3, 4].contains(&row.line), "{error:?}");
        assert!(error.message.contains("vectors of 6 numbers, where those before have 4"), "{error:?}");
        assert_eq!((error.class.as_str(), error.attempts), ("malformed", 1));
    }
    // Also where the answer that is there is of an earlier run.
    let before = server.read();
    let run = server.embed(&["--resume"], &lines).await;
    assert_eq!((run.code, server.read()), (Some(1), before.clone()), "{}", run.stderr);
    let run = server.embed(&["--resume"], &["1", "2", "3 by a", "4 by a long 5 ", "5"]).await;
    assert_eq!(run.code, Some(1));
    assert_eq!(server.rows()[2].embedding, Some(vec![0.5; 4]));
    let error = server.rows()[3].error.clone().unwrap();
    assert!(error.message.contains("vectors of 5 numbers, where those before have 4"), "{error:?}");
}

#[tokio::test]
async fn another_model_adds_nothing_to_the_rows_that_are_there() {
    let server = Server::new("another").await;
    assert_eq!(server.embed(&[], &["1 by a", "2 by a"]).await.code, Some(0));
    let whole = server.read();
    let run = server.embed(&["--resume"], &["1", "2", "3 by b", "4 by a", "5"]).await;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("2 embedded, 1 failed (malformed 1×)"), "{}", run.stderr);
    assert!(server.read().starts_with(&whole));
    let rows = server.rows();
    let error = rows[2].error.clone().unwrap();
    assert!(error.message.contains("by the model \"b\", but the vectors kept are by \"a\""), "{error:?}");
    assert!(rows[3].model.is_none() && rows[3].embedding.is_some() && rows[4].embedding.is_some());

    let run = server.embed(&["--resume"], &["1", "2", "3 by a", "4", "5"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // Whose vector is of no use has none to be compared with.
    fs::write(&server.out, "{\"line\":1,\"model\":\"a\",\"embedding\":[]}\n").unwrap();
    let run = server.embed(&["--resume"], &["1 by b", "2 by b"]).await;
    assert_eq!((run.code, server.rows()[0].model.as_deref()), (Some(0), Some("b")), "{}", run.stderr);
    // Rows that do not say by whom they are, as those of a server that does not tell, are by any.
    fs::write(&server.out, "{\"line\":1,\"embedding\":[1.0,0.0,0.0,0.0]}\n").unwrap();
    let run = server.embed(&["--resume"], &["1", "2 by c"]).await;
    assert_eq!((run.code, server.rows()[1].model.as_deref()), (Some(0), Some("c")), "{}", run.stderr);
}

#[tokio::test]
async fn a_row_that_is_lost_leaves_its_name_to_the_next() {
    let server = Server::new("heir").await;
    let lines = ["1 by a", "2 by a", "3 by a"];
    assert_eq!(server.embed(&[], &lines).await.code, Some(0));
    let whole = server.read();
    let useless = whole.replacen("[0.5,0.5,0.5,0.5]", "[]", 1);
    fs::write(&server.out, &useless).unwrap();
    // It fails again, so the second is the first now.
    assert_eq!(server.embed(&["--resume"], &["1 by b", "2 by a", "3 by a"]).await.code, Some(1));
    let names: Vec<_> = server.rows().into_iter().map(|row| row.model).collect();
    assert_eq!(names, [None, Some("a".to_owned()), None]);
    assert_eq!(server.embed(&["--resume"], &lines).await.code, Some(0));
    assert_eq!(server.read(), whole);

    // A killed run has written the first two, and named the model in the first.
    let part = format!("{}.resume", server.out);
    let firsts: Vec<_> = whole.split_inclusive('\n').collect();
    fs::write(&part, firsts[..2].concat()).unwrap();
    fs::write(&server.out, format!("{}{}", firsts[0], firsts[2])).unwrap();
    assert_eq!(server.embed(&["--resume"], &lines).await.code, Some(0));
    assert_eq!((server.read(), fs::exists(part).unwrap()), (whole, false));
}
