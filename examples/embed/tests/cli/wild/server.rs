use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

use super::{
    encode::Encoding,
    script::{Asked, Dialect, Edits, Rule, from_hex, vector},
};

/// A server that follows a script.
pub(super) struct Server {
    pub(super) port: u16,
    script: Arc<Script>,
    accepting: JoinHandle<()>,
}

struct Script {
    rules: Vec<Rule>,
    speaks: Dialect,
    port: u16,
    /// What was asked and answered, in short.
    log: Mutex<Vec<String>>,
}

impl Server {
    pub(super) async fn start(rules: &[Rule], speaks: Dialect) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Script { rules: rules.to_vec(), speaks, port, log: Mutex::default() });
        let own = Arc::clone(&script);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = Arc::clone(&own);
                tokio::spawn(async move { script.serve(stream).await });
            }
        });
        Self { port, script, accepting }
    }

    /// One line for each request.
    pub(super) fn log(&self) -> Vec<String> {
        self.script.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Script {
    /// Answers the requests of one connection until that ends.
    async fn serve(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some((path, content)) = read(&mut stream).await {
            let body: Value = serde_json::from_slice(&content).unwrap_or_default();
            let texts = match ["input", "inputs", "texts"].iter().find_map(|name| body.get(name)) {
                Some(Value::String(text)) => vec![text.clone()],
                Some(texts) => serde_json::from_value(texts.clone()).unwrap(),
                None => Vec::new(),
            };
            let number = {
                let mut log = self.log.lock().unwrap();
                log.push(String::new());
                log.len()
            };
            let asked = Asked { number, path, texts, body, bytes: content.len() };
            let rule = self.rules.iter().find(|rule| rule.when.fits(&asked));
            let good = Rule { answer: Some(Edits::default()), ..Rule::default() };
            let rule = rule.unwrap_or(&good);
            let (status, content) = self.answer(rule, &asked);
            let Asked { number, path, texts, .. } = &asked;
            let first = texts.first().map(|text| text.chars().take(30).collect::<String>());
            self.log.lock().unwrap()[number - 1] =
                format!("{path} x{} {} from {first:?}: {status}", texts.len(), asked.body["encoding_format"]);
            if rule.hang_up || send(&mut stream, rule, status, content, self.port).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, rule: &Rule, asked: &Asked) -> (u16, Vec<u8>) {
        let (status, content) = match (&rule.answer, &rule.body) {
            (Some(edits), _) => (200, edits.answer(asked, self.speaks)),
            (None, Value::String(text)) => (rule.status, text.clone()),
            (None, body) => (rule.status, body.to_string()),
        };
        let format = asked.body["encoding_format"].as_str().unwrap_or("None");
        let content = content.replace("{format}", format).replace("{count}", &asked.texts.len().to_string());
        let content =
            content.replace("{first}", asked.texts.first().map_or("", String::as_str)).replace("{id}", &id(asked));
        (status, [from_hex(&rule.before_hex), content.into_bytes()].concat())
    }
}

/// A word that is another one for each request.
fn id(asked: &Asked) -> String {
    let letter = |digit| char::from(b'a' + digit % 26);
    vector(&asked.number.to_string(), 8).iter().map(|number| letter((number * 256.0) as u8)).collect()
}

async fn send(
    stream: &mut BufReader<TcpStream>,
    rule: &Rule,
    status: u16,
    mut content: Vec<u8>,
    port: u16,
) -> std::io::Result<()> {
    let kind = rule.kind.as_deref().unwrap_or("application/json");
    let mut head = format!("HTTP/1.1 {status} .\r\ncontent-type: {kind}\r\n");
    if let Some(encoding) = rule.encoding.or(rule.gzip.then_some(Encoding::Gzip)) {
        content = encoding.encode(&content);
        head += &format!("content-encoding: {}\r\n", encoding.name());
    }
    for (name, value) in &rule.headers {
        if name != "content-type" && name != "content-encoding" {
            head += &format!("{name}: {}\r\n", value.replace("{port}", &port.to_string()));
        }
    }
    head += &format!("content-length: {}\r\n\r\n", content.len());
    stream.write_all(head.as_bytes()).await?;
    sleep(Duration::from_secs(rule.pause_before_body_s)).await;
    stream.write_all(&content).await
}

/// The path of a request, and its body.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await.ok()?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await.ok()?;
    Some((first.split(' ').nth(1)?.to_owned(), content))
}
