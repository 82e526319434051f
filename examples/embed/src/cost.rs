//! What a run has used up of the account.

use std::fmt;

use serde::Serialize;
use trysail::embeddings::{UsageSnapshot, Used};

/// By how requests ended, since those may be billed too that failed; `Display` is for people.
#[derive(Debug, Serialize)]
pub(crate) struct Cost {
    answered: Spent,
    failed: Spent,
    abandoned: Spent,
}

#[derive(Debug, Serialize)]
struct Spent {
    requests: u64,
    lines: u64,
    bytes: u64,
    tokens: u64,
}

impl Cost {
    pub(crate) fn of(usage: &UsageSnapshot) -> Self {
        let spent = |used: Used| Spent {
            requests: used.requests(),
            lines: used.inputs(),
            bytes: used.bytes(),
            tokens: used.tokens(),
        };
        Self { answered: spent(usage.answered()), failed: spent(usage.failed()), abandoned: spent(usage.abandoned()) }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered {}", self.answered)?;
        for (how, spent) in [("failed", &self.failed), ("abandoned", &self.abandoned)] {
            if spent.requests > 0 {
                write!(f, "; {how} {spent}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, lines, bytes, tokens } = self;
        write!(f, "{requests} requests of {lines} lines, {bytes} bytes, {tokens} tokens")
    }
}
