//! What stands between the program and its server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    time::sleep,
};

use crate::support::{embed, finish, run};

const VECTOR: &str = r#"{"data":[{"index":0,"embedding":[1.0,2.0]}],"model":"m"}"#;

#[tokio::test]
async fn a_308_to_a_slash_is_followed() {
    let (url, requests) = serve(|path, _| match path {
        "/v1/embeddings" => head(308, "location: /v1/embeddings/\r\n", 0),
        _ => head(200, "", VECTOR.len()) + VECTOR,
    })
    .await;
    let run = run(&url, &[], "one line\n").await;
    assert_eq!((run.code, requests.load(Relaxed)), (Some(0), 2), "{}", run.stderr);
}

#[tokio::test]
async fn a_301_ends_the_run_and_names_the_url_which_then_works() {
    let moved = |path: &str, port: u16| match path {
        "/v1/embeddings" => head(301, &format!("location: http://127.0.0.1:{port}/v1/embeddings/\r\n"), 0),
        _ => head(200, "", VECTOR.len()) + VECTOR,
    };
    let (url, requests) = serve(moved).await;
    let failed = run(&url, &["--batch", "1"], "one\ntwo\nthree\nfour\nfive\nsix\n").await;
    let (class, message) = failed.failure();
    assert_eq!((failed.code, class.as_str()), (Some(1), "permanent"));
    let there = format!("{url}/embeddings/");
    assert!(message.contains(&format!("answered 301 and points to {there}; use that URL: --url {there}")), "{message}");
    // No more than were in flight.
    assert!(requests.load(Relaxed) <= 4, "{requests:?}");
    assert_eq!(run(&there, &[], "one line\n").await.code, Some(0));
}

#[tokio::test]
async fn a_key_is_not_carried_to_another_server() {
    let (elsewhere, asked) = serve(|_, _| head(200, "", VECTOR.len()) + VECTOR).await;
    let location = format!("location: {elsewhere}/embeddings?key=sk-secret\r\n");
    let (url, _) = serve(move |_, _| head(307, &location, 0)).await;
    let mut command = embed(&["--url", &url, "--model", "m"]);
    command.env("OPENAI_API_KEY", "sk-secret");
    let run = finish(command, "one line\n").await;
    let message = run.failure().1;
    assert!(message.contains(&format!("points to {elsewhere}/embeddings?key=…, which is another origin")), "{message}");
    assert!(message.contains(&format!("--url {elsewhere}/embeddings")), "{message}");
    assert!(!format!("{run:?}").contains("sk-secret"), "{run:?}");
    assert_eq!(asked.load(Relaxed), 0);
}

#[tokio::test]
async fn a_dead_proxy_is_named_with_the_variable_that_names_it_and_without_its_password() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (variable, url) in [
        ("HTTPS_PROXY", "https://embeddings.test/v1"),
        ("https_proxy", "https://embeddings.test/v1"),
        ("HTTP_PROXY", "http://embeddings.test/v1"),
        ("all_proxy", "http://embeddings.test/v1"),
    ] {
        let mut command = embed(&["--url", url, "--model", "m", "--retries", "0"]);
        command.env_remove("HTTPS_PROXY").env_remove("https_proxy").env_remove("NO_PROXY").env_remove("no_proxy");
        command.env(variable, format!("http://user:hunter2@{nobody}"));
        let run = finish(command, "one line\n").await;
        let message = run.failure().1;
        assert!(
            message.contains(&format!("the proxy http://{nobody} (from {variable}) cannot be reached")),
            "{message}"
        );
        // It is not the server that does not listen.
        assert!(!message.contains("nothing listens"), "{message}");
        assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
    }
}

#[tokio::test]
async fn silence_in_a_body_counts_once_it_has_begun_and_names_its_limit() {
    let (begin, end) = VECTOR.split_at(9);
    for (pause_at, code) in [("", Some(0)), (begin, Some(1))] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let rest = if pause_at.is_empty() { VECTOR } else { end };
        let start = head(200, "", VECTOR.len()) + pause_at;
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                read(&mut BufReader::new(&mut stream)).await;
                stream.write_all(start.as_bytes()).await.unwrap();
                sleep(Duration::from_millis(600)).await;
                let _ = stream.write_all(rest.as_bytes()).await;
            }
        });
        let run = run(&url, &["--idle-timeout", "200ms", "--retries", "0"], "one line\n").await;
        assert_eq!(run.code, code, "{run:?}");
        if code == Some(1) {
            let message = run.failure().1;
            assert!(message.contains("the idle limit of 200ms"), "{message}");
        }
    }
}

fn head(status: u16, more: &str, length: usize) -> String {
    format!("HTTP/1.1 {status} .\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n")
}

/// A server whose answer follows from the path and its own port, and how often it was asked.
async fn serve(answer: impl Fn(&str, u16) -> String + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(path) = read(&mut BufReader::new(&mut stream)).await else { continue };
            count.fetch_add(1, Relaxed);
            let _ = stream.write_all(answer(&path, port).as_bytes()).await;
        }
    });
    (format!("http://127.0.0.1:{port}/v1"), requests)
}

/// The path of a request, of which all is read.
async fn read(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<String> {
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await.ok()?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(said) = line.strip_prefix("content-length: ") {
            length = said.trim().parse().ok()?;
        }
    }
    stream.read_exact(&mut vec![0; length]).await.ok()?;
    Some(first.split(' ').nth(1)?.to_owned())
}
