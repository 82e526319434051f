//! As much of Redis' protocol as there is in one command and its reply, and an imitation that speaks it.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt,
    io::{self, ErrorKind},
    net::SocketAddr,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// Words that are sent as one command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command(&'static str);

impl Command {
    pub(crate) const fn new(words: &'static str) -> Self {
        Self(words)
    }

    pub(crate) fn name(self) -> &'static str {
        self.0.split(' ').next().unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Text(String),
    Nothing,
    Error(String),
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Error(text) => f.write_str(text),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

/// Sends one command over a connection of its own.
pub(crate) async fn exchange(address: SocketAddr, command: Command) -> io::Result<Reply> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.write_all(format!("{}\r\n", command.0).as_bytes()).await?;
    let mut line = String::new();
    (&mut stream).take(LONGEST).read_line(&mut line).await?;
    let line = line.strip_suffix("\r\n").ok_or(ErrorKind::UnexpectedEof)?;
    Ok(match line.split_at_checked(1).ok_or(ErrorKind::InvalidData)? {
        ("+" | ":", text) => Reply::Text(text.to_owned()),
        ("-", text) => Reply::Error(text.to_owned()),
        ("$", "-1") => Reply::Nothing,
        ("$", length) => {
            let length = length.parse::<u16>().map_err(|_| ErrorKind::InvalidData)?;
            let mut text = vec![0; length.into()];
            stream.read_exact(&mut text).await?;
            Reply::Text(String::from_utf8_lossy(&text).into_owned())
        }
        _ => return Err(ErrorKind::InvalidData.into()),
    })
}

/// A server that hangs up on its first guest, and knows two commands.
pub(crate) async fn imitation() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener));
    Ok(address)
}

async fn serve(listener: TcpListener) -> io::Result<Infallible> {
    drop(listener.accept().await?);
    let mut known = HashMap::new();
    loop {
        let mut stream = BufReader::new(listener.accept().await?.0);
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let words = line.split_whitespace().collect::<Vec<_>>();
        let reply = match words[..] {
            ["SET", key, value] => {
                known.insert(key.to_owned(), value.to_owned());
                "+OK".to_owned()
            }
            ["GET", key] => match known.get(key) {
                Some(value) => format!("${}\r\n{value}", value.len()),
                None => "$-1".to_owned(),
            },
            _ => "-ERR value is not an integer or out of range".to_owned(),
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
}

const LONGEST: u64 = 1 << 10;
