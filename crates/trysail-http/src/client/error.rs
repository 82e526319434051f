use std::{error::Error, fmt};

use hyper_util::client::legacy;
use trysail_core::OneLine;

/// Why a [`Client`](crate::Client) has no answer.
///
/// It says what happened in one line; its source is hyper's own error.
#[derive(Debug)]
pub struct ClientError {
    inner: legacy::Error,
}

impl ClientError {
    pub(crate) const fn new(inner: legacy::Error) -> Self {
        Self { inner }
    }

    /// Whether there was no connection, so that nothing was sent.
    pub fn is_connect(&self) -> bool {
        self.inner.is_connect()
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // hyper-util's own words name only the stage.
        match self.inner.source() {
            Some(cause) if self.is_connect() => write!(f, "connecting failed: {}", OneLine(cause)),
            Some(cause) => OneLine(cause).fmt(f),
            None => f.write_str("the request cannot be sent: it needs a whole http or https address"),
        }
    }
}

impl Error for ClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.inner)
    }
}
