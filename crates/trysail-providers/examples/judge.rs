//! Judges recorded answers: JSON lines in, JSON lines out; or explains a single one.
//!
//! ```text
//! judge < answers.jsonl
//! judge --explain --status 429 --header 'retry-after: 2' --body '{"error":{"code":"rate_limit_exceeded"}}'
//! ```

use std::{
    collections::BTreeMap,
    error::Error,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use bytes::Bytes;
use clap::Parser;
use http::{Response, header::HeaderName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trysail_core::{Class, Health, Remedy, Retryable, Verdict};
use trysail_http::{Encoding, Expected};
use trysail_providers::{Judgement, Providers};

/// Judges the answers of embedding servers.
///
/// Reads one JSON object a line with `id`, `status`, `headers`, `body` and `request` (`inputs`, `dimensions`,
/// `encoding_format`, `kind`); writes one a line with `id`, `class`, `retry`, `retry_after_ms`, `health`, `remedy`
/// and `rule`.
#[derive(Parser)]
struct Options {
    /// Read from this file instead of standard input.
    file: Option<PathBuf>,
    /// Explain one answer in words.
    #[arg(long, requires = "status", conflicts_with = "file")]
    explain: bool,
    /// The status of the answer to explain.
    #[arg(long, requires = "explain", value_name = "CODE")]
    status: Option<u16>,
    /// A header of the answer to explain, as `name: value`.
    #[arg(long, requires = "explain", value_name = "HEADER", value_parser = header)]
    header: Vec<(String, String)>,
    /// The body of the answer to explain.
    #[arg(long, requires = "explain", default_value = "", hide_default_value = true)]
    body: String,
    /// How many vectors it should hold, if it is a 2xx.
    #[arg(long, requires = "explain", value_name = "COUNT")]
    inputs: Option<usize>,
}

/// A recorded answer.
#[derive(Deserialize)]
struct Line {
    id: Value,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    request: Request,
}

/// What was asked.
#[derive(Default, Deserialize)]
struct Request {
    inputs: Option<usize>,
    dimensions: Option<usize>,
    encoding_format: Option<String>,
    kind: Option<String>,
}

/// What is made of it.
#[derive(Serialize)]
struct Row {
    id: Value,
    class: &'static str,
    retry: bool,
    retry_after_ms: Option<u64>,
    health: &'static str,
    remedy: Option<&'static str>,
    rule: &'static str,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = if options.explain { explain(options) } else { judge(options.file) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("judge: {error}");
            ExitCode::FAILURE
        }
    }
}

fn judge(file: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let input: Box<dyn BufRead> = match file {
        Some(path) => {
            let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Box::new(BufReader::new(file))
        }
        None => Box::new(io::stdin().lock()),
    };
    let mut output = BufWriter::new(io::stdout().lock());
    for (number, line) in input.lines().enumerate() {
        let at = |error: &dyn std::fmt::Display| format!("line {}: {error}", number + 1);
        let line = line.map_err(|error| at(&error))?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&line).map_err(|error| at(&format!("no recorded answer: {error}")))?;
        let response = line.response().map_err(|error| at(&error))?;
        let row = serde_json::to_string(&Row::new(line.id, &Providers.judge(&response)))?;
        let done = writeln!(output, "{row}");
        if done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return Ok(());
        }
        done?;
    }
    Ok(output.flush()?)
}

impl Row {
    fn new(id: Value, judgement: &Judgement) -> Self {
        let verdict = judgement.verdict();
        Self {
            id,
            class: match verdict.class() {
                Class::Malformed => "protocol",
                Class::Warming => "transient",
                class => class.as_str(),
            },
            retry: verdict.retry() != Retryable::No,
            retry_after_ms: verdict.retry_after().map(|hint| hint.as_millis() as u64),
            health: health(verdict),
            remedy: remedy(verdict).map(|(name, _)| name),
            rule: judgement.rule(),
        }
    }
}

fn explain(options: Options) -> Result<(), Box<dyn Error>> {
    let line = Line {
        id: Value::Null,
        status: options.status.ok_or("--explain needs --status")?,
        headers: options.header.into_iter().collect(),
        body: options.body,
        request: Request { inputs: options.inputs, ..Request::default() },
    };
    let judgement = Providers.judge(&line.response()?);
    let verdict = judgement.verdict();
    println!("What it is:  {} ({})", meaning(verdict), verdict.class());
    if let Some(excerpt) = judgement.excerpt() {
        println!("It says:     {excerpt}");
    }
    println!("Decided by:  {}", judgement.rule());
    println!("The stack:   {}, and {}", retry(verdict), breaker(verdict));
    println!("The caller:  {}", remedy(verdict).map_or_else(|| advice(verdict), |(_, words)| words));
    Ok(())
}

impl Line {
    fn response(&self) -> Result<Response<Bytes>, Box<dyn Error>> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let mut response = response.body(Bytes::from(self.body.clone()))?;
        if let Some(expected) = self.request.expected() {
            response.extensions_mut().insert(expected);
        }
        Ok(response)
    }
}

impl Request {
    fn expected(&self) -> Option<Expected> {
        let count = self.inputs.filter(|_| self.kind.is_none())?;
        let expected = Expected::vectors(count).encoding(match self.encoding_format.as_deref() {
            Some("float") => Encoding::Float,
            Some("base64") => Encoding::Base64,
            _ => Encoding::Any,
        });
        Some(self.dimensions.map_or(expected, |dimension| expected.dimension(dimension)))
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written `name: value`")?;
    let name = name.trim().parse::<HeaderName>().map_err(|_| format!("`{}` is no header name", name.trim()))?;
    Ok((name.to_string(), value.trim().to_owned()))
}

fn meaning(verdict: Verdict) -> &'static str {
    match verdict.class() {
        Class::Success => "a usable answer",
        Class::Transient => "the server, or something on the way, failed or is overloaded",
        Class::Throttled => "this caller went over a limit that refills within minutes",
        Class::QuotaExhausted => "money, credits, or an allowance of a day or longer is used up",
        Class::Auth => "the credential is missing, wrong, expired or not entitled",
        Class::Permanent => "the request can never work as it is",
        Class::Malformed => "the server said success, but its answer is not one",
        Class::Warming => "the server is loading its model",
        _ => "nobody waits for an answer any more",
    }
}

fn retry(verdict: Verdict) -> String {
    match (verdict.retry(), verdict.retry_after()) {
        (Retryable::No, _) => "does not send it again".to_owned(),
        (Retryable::Yes, None) => "sends it again after its own backoff".to_owned(),
        (Retryable::Yes, Some(hint)) => {
            format!("sends it again after {hint:?} at the earliest, if it has the patience")
        }
        (Retryable::Unsent, _) => "sends it at once, for it never arrived".to_owned(),
    }
}

fn breaker(verdict: Verdict) -> &'static str {
    match verdict.health() {
        Health::Success => "takes it as a sign of life",
        Health::Failure => "counts a failure towards opening the circuit",
        Health::Neutral => "draws no conclusion about the server",
    }
}

fn health(verdict: Verdict) -> &'static str {
    match verdict.health() {
        Health::Success => "success",
        Health::Failure => "failure",
        Health::Neutral => "neutral",
    }
}

fn remedy(verdict: Verdict) -> Option<(&'static str, &'static str)> {
    match verdict.remedy()? {
        Remedy::Split => Some(("split", "send fewer inputs at once")),
        Remedy::Truncate => Some(("truncate", "send a shorter input")),
        Remedy::Reauth => Some(("reauth", "get a new credential, or refresh this one")),
        Remedy::Pay => Some(("pay", "settle the account, or raise its limit")),
        _ => None,
    }
}

fn advice(verdict: Verdict) -> &'static str {
    match verdict.class() {
        Class::Success => "use it",
        Class::QuotaExhausted => "stop, and tell someone; wait for the allowance or raise it",
        Class::Auth => "check what the credential may do",
        Class::Permanent => "change the request, its model or its URL",
        Class::Malformed if verdict.retry() == Retryable::No => "check the URL, the model and what was asked for",
        Class::Throttled => "send less, or raise the limit, if this goes on",
        _ => "nothing, unless it goes on",
    }
}
