use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::EmbedRequest;

/// Counts what the requests of a service use up of an account; clones are the same count.
///
/// Every request to the server counts for itself: each attempt, and what is asked in another form or to see whether the
/// server is there. One that was refused on this side was not sent, and is none.
#[derive(Clone, Debug, Default)]
pub struct Usage(Arc<[Counters; 3]>);

/// What requests have used up, by how they ended: a server may count those too that failed, or that nobody waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageSnapshot {
    answered: Used,
    failed: Used,
    abandoned: Used,
}

/// How many requests were sent, and how much was in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    requests: u64,
    inputs: u64,
    bytes: u64,
    tokens: u64,
}

/// How a request has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    /// With usable vectors; the server may have counted its tokens.
    Answered(Option<u64>),
    Failed,
    Abandoned,
}

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    inputs: AtomicU64,
    bytes: AtomicU64,
    tokens: AtomicU64,
}

impl Usage {
    /// All that was used up so far.
    pub fn snapshot(&self) -> UsageSnapshot {
        let [answered, failed, abandoned] = self.0.each_ref().map(|of| Used {
            requests: of.requests.load(Relaxed),
            inputs: of.inputs.load(Relaxed),
            bytes: of.bytes.load(Relaxed),
            tokens: of.tokens.load(Relaxed),
        });
        UsageSnapshot { answered, failed, abandoned }
    }

    pub(crate) fn count(&self, request: &EmbedRequest, ending: Ending) {
        let (of, tokens) = match ending {
            Ending::Answered(tokens) => (&self.0[0], tokens),
            Ending::Failed => (&self.0[1], None),
            Ending::Abandoned => (&self.0[2], None),
        };
        of.requests.fetch_add(1, Relaxed);
        of.inputs.fetch_add(request.len() as u64, Relaxed);
        of.bytes.fetch_add(request.bytes() as u64, Relaxed);
        of.tokens.fetch_add(tokens.unwrap_or_else(|| request.likely_tokens()), Relaxed);
    }
}

impl UsageSnapshot {
    /// What was answered with vectors that can be used.
    pub const fn answered(&self) -> Used {
        self.answered
    }

    /// What was refused, failed, or came back as no usable answer.
    pub const fn failed(&self) -> Used {
        self.failed
    }

    /// What was given up before there was an answer.
    pub const fn abandoned(&self) -> Used {
        self.abandoned
    }
}

impl Used {
    /// How many requests were sent.
    pub const fn requests(self) -> u64 {
        self.requests
    }

    /// How many texts were in them.
    pub const fn inputs(self) -> u64 {
        self.inputs
    }

    /// How large these were, in bytes.
    pub const fn bytes(self) -> u64 {
        self.bytes
    }

    /// How many tokens the server has counted in them, or else as many as were [likely](EmbedRequest::likely_tokens).
    pub const fn tokens(self) -> u64 {
        self.tokens
    }
}
