use std::{process::Stdio, time::Duration};

use serde::Deserialize;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    time::timeout,
};
use trysail_testkit::{EmbeddingServer, model::Model, server::Running};

/// A row of the output.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) file: Option<String>,
    pub(crate) line: u64,
    pub(crate) model: Option<String>,
    pub(crate) embedding: Option<Vec<f32>>,
    pub(crate) error: Option<Failed>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failed {
    pub(crate) class: String,
    pub(crate) message: String,
    pub(crate) attempts: u32,
}

/// What a run has left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn rows(&self) -> Vec<Row> {
        rows(&self.stdout)
    }

    /// The class of every row, which must be the same, and the message of the first.
    pub(crate) fn failure(&self) -> (String, String) {
        let errors: Vec<_> = self.rows().into_iter().map(|row| row.error.expect("it failed")).collect();
        assert!(errors.iter().all(|error| error.class == errors[0].class), "{errors:?}");
        (errors[0].class.clone(), errors[0].message.clone())
    }
}

/// The program, in an environment that says nothing to it.
pub(crate) fn embed(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embed"));
    for name in ["OPENAI_BASE_URL", "OPENAI_API_KEY", "RUST_LOG", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Feeds `input` to `command` and waits for its end.
pub(crate) async fn finish(mut command: Command, input: impl AsRef<[u8]>) -> Run {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feed = async {
        // It need not read what it has no use for.
        let _ = stdin.write_all(input.as_ref()).await;
        drop(stdin);
    };
    let (run, ()) = tokio::join!(over(child), feed);
    run
}

pub(crate) async fn over(child: Child) -> Run {
    let output = timeout(Duration::from_secs(60), child.wait_with_output()).await.expect("it comes to an end").unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Embeds `input` by the server at `url`.
pub(crate) async fn run(url: &str, args: &[&str], input: impl AsRef<[u8]>) -> Run {
    finish(embed(&[&["--url", url, "--model", "potion-base-2M"], args].concat()), input).await
}

pub(crate) async fn server(plan: &str) -> Running {
    EmbeddingServer::new().faults(plan.parse().unwrap()).bind().await.unwrap()
}

/// Whole rows only: anything else is no JSON.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last row is cut");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// So many different sentences.
pub(crate) fn sentences(count: usize) -> Vec<String> {
    let pick = |words: &[&'static str], n: usize| words[n % words.len()];
    (0..count)
        .map(|n| {
            let (who, did) = (pick(WHO, n), pick(DID, n / WHO.len()));
            let (what, when) = (pick(WHAT, n / 3 + n), pick(WHEN, n / 7));
            format!("{who} {did} {what} {when}, and wrote {n} in the log.")
        })
        .collect()
}

/// Every row is a vector, in the order of `texts` and equal to what the model says.
pub(crate) fn assert_right(rows: &[Row], texts: &[String]) {
    assert_eq!(rows.len(), texts.len());
    for (at, (row, text)) in rows.iter().zip(texts).enumerate() {
        assert_eq!(row.line, at as u64 + 1);
        assert_eq!(row.embedding.as_ref(), Some(&Model::potion().embed(text)), "line {}: {text}", row.line);
    }
}

const WHO: &[&str] =
    &["The skipper", "A petrel", "Nobody", "The harbour master", "Our cook", "The youngest of us", "A pilot"];
const DID: &[&str] = &["watched", "lost", "painted", "forgot", "repaired", "sold", "lowered", "described", "found"];
const WHAT: &[&str] = &[
    "the lantern",
    "a torn sail",
    "two anchors",
    "the old chart",
    "every rope",
    "the compass",
    "a barrel of herring",
    "the lighthouse",
    "nine blankets",
    "the storm",
    "a bottle",
];
const WHEN: &[&str] = &["before dawn", "in the rain", "after the war", "on Sunday", "without a word", "at low water"];
