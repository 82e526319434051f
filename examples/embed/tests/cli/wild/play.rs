use std::{collections::BTreeMap, fmt, time::Duration};

use tokio::{
    io::AsyncWriteExt,
    time::{Instant, timeout},
};

use super::{
    script::{Case, Dialect},
    server::Server,
};
use crate::support::{Row, embed, rows};

/// What came out.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) vectors: BTreeMap<u64, Vec<f32>>,
    pub(super) errors: BTreeMap<u64, String>,
    /// None if it had to be ended.
    pub(super) exit: Option<i32>,
    pub(super) took: Duration,
    /// One line for each request.
    pub(super) log: Vec<String>,
    /// In what it differs from what is right.
    pub(super) wrong: Vec<String>,
}

/// Runs the program against the server of `case`.
pub(super) async fn play(case: &Case) -> Outcome {
    let server = Server::start(&case.script, case.speaks).await;
    let url = format!("http://127.0.0.1:{}{}", server.port, case.path.as_deref().unwrap_or("/v1"));
    let mut command = embed(&["--json", "--url", &url]);
    match case.speaks {
        Dialect::Openai => {}
        Dialect::Tei => _ = command.args(["--api", "tei"]),
        Dialect::Ollama => _ = command.args(["--api", "ollama", "--model", "m"]),
    }
    match &case.args {
        Some(args) => command.args(args),
        None => command.args(["--deadline", "20s"]),
    };
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), case.input());
    let feed = async {
        // It need not read what it has no use for.
        let _ = stdin.write_all(&input).await;
        drop(stdin);
    };
    let limit = Duration::from_secs(case.limit_s.unwrap_or(60));
    let (ended, ()) = tokio::join!(timeout(limit, child.wait_with_output()), feed);
    let mut outcome = Outcome { took: began.elapsed(), log: server.log(), ..Outcome::default() };
    if let Ok(output) = ended {
        let output = output.unwrap();
        outcome.exit = output.status.code();
        for Row { line, embedding, error, .. } in rows(&String::from_utf8(output.stdout).unwrap()) {
            match error {
                Some(error) => _ = outcome.errors.insert(line, error.message),
                None => _ = outcome.vectors.insert(line, embedding.unwrap()),
            }
        }
    }
    let texts = case.texts();
    let verdicts = case.right.as_slice().iter().map(|right| right.differs(&outcome, &texts));
    outcome.wrong = verdicts.min_by_key(Vec::len).expect("something is right");
    outcome
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vectors, errors, exit, took, log, wrong } = self;
        let (vectors, failed, requests) = (vectors.len(), errors.len(), log.len());
        write!(f, "{vectors} vectors, {failed} errors, {requests} requests, exit {exit:?}, {took:.1?}")?;
        if let Some((line, error)) = errors.first_key_value() {
            write!(f, "\n    line {line}: {error}")?;
        }
        for wrong in wrong {
            write!(f, "\n    WRONG: {wrong}")?;
        }
        let log = log.iter().take(if wrong.is_empty() { 0 } else { 60 });
        log.enumerate().try_for_each(|(at, request)| write!(f, "\n      {}: {request}", at + 1))
    }
}
