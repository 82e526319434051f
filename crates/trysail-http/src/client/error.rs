use std::{error::Error, fmt, io};

use hyper_util::client::legacy;
use trysail_core::OneLine;

use crate::{
    client::{obstacle::Obstacle, proxies::Proxy, served::Served, words::explain},
    transport::chain,
};

/// Why a [`Client`](crate::Client) has no answer.
///
/// It says what happened in one line, and what to do where asking again cannot help; its source is what was seen, mostly
/// hyper's own error.
#[derive(Debug)]
pub struct ClientError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Failed {
        error: legacy::Error,
        /// What stands in front of the server.
        proxy: Option<Proxy>,
        is_plain: bool,
    },
    Obstacle(Obstacle),
}

impl ClientError {
    pub(crate) const fn new(error: legacy::Error, proxy: Option<Proxy>, is_plain: bool) -> Self {
        Self { kind: Kind::Failed { error, proxy, is_plain } }
    }

    /// Whether there was no connection, so that nothing was sent.
    pub fn is_connect(&self) -> bool {
        matches!(&self.kind, Kind::Failed { error, .. } if error.is_connect())
    }
}

impl From<Obstacle> for ClientError {
    fn from(obstacle: Obstacle) -> Self {
        Self { kind: Kind::Obstacle(obstacle) }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (error, proxy, is_plain) = match &self.kind {
            Kind::Failed { error, proxy, is_plain } => (error, proxy, *is_plain),
            Kind::Obstacle(obstacle) => return obstacle.fmt(f),
        };
        // hyper-util's own words name only the stage.
        let Some(cause) = error.source() else {
            return f.write_str("the request cannot be sent: it needs a whole http or https address");
        };
        if let Some(words) = explain(cause) {
            return f.write_str(&words);
        }
        if error.is_connect() {
            write!(f, "connecting failed: ")?;
        } else if !Served::before(error) && proxy.is_none() {
            if cause.downcast_ref().is_some_and(hyper::Error::is_parse) {
                f.write_str("what answers there does not speak HTTP, so check the port: ")?;
            } else if is_plain && hung_up(cause) {
                f.write_str("the server hung up before it answered (if it speaks https, write https://): ")?;
            }
        }
        OneLine(cause).fmt(f)?;
        match proxy {
            Some(proxy) if error.is_connect() => write!(f, ", through {proxy}"),
            _ => Ok(()),
        }
    }
}

impl Error for ClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match &self.kind {
            Kind::Failed { error, .. } => error,
            Kind::Obstacle(obstacle) => obstacle,
        })
    }
}

/// Whether a connection ended where an answer should begin.
fn hung_up(cause: &(dyn Error + 'static)) -> bool {
    let incomplete = cause.downcast_ref().is_some_and(hyper::Error::is_incomplete_message);
    let is_reset =
        |link: &(dyn Error + 'static)| link.downcast_ref().map(io::Error::kind) == Some(io::ErrorKind::ConnectionReset);
    incomplete || chain(cause).any(is_reset)
}
