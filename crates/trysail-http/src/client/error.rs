use std::{error::Error, fmt};

use hyper_util::client::legacy;
use trysail_core::OneLine;

use crate::client::{obstacle::Obstacle, proxies::Proxy, served::Served, words::explain};

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
    /// With what stands in front of the server.
    Failed {
        error: legacy::Error,
        proxy: Option<Proxy>,
    },
    Obstacle(Obstacle),
}

impl ClientError {
    pub(crate) const fn new(error: legacy::Error, proxy: Option<Proxy>) -> Self {
        Self { kind: Kind::Failed { error, proxy } }
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
        let (error, proxy) = match &self.kind {
            Kind::Failed { error, proxy } => (error, proxy),
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
        } else if cause.downcast_ref().is_some_and(hyper::Error::is_parse) && !Served::before(error) {
            write!(f, "what answers there does not speak HTTP, so check the port: ")?;
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
